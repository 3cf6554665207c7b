"""Job 8: every tool opens by one click and works; what a workspace uses, how long it lasts and why it ended is said.

The last of these tests by its name: its settings let workspaces end soon.
"""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from tests.support.installation import Installation, wait_until, write_as_owner
from tests.support.settings import configured
from tests.support.visitor import Visitor

Shot = Callable[..., None]
SMALL = {"memory": "1G", "image": "minimal"}
PROFILES = {
    "brief": {**SMALL, "description": "for an exercise", "longest_hours": 0.018},
    "naps": {**SMALL, "description": "for looking around", "idle_stop_minutes": 1},
}

KNOWN = ("https://open-vsx.org/vscode/gallery/",)
"""Where VS Code looks for extensions; the guide says so."""

COLOURS = """canvas => {
  if (!canvas.width) return 0;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const seen = new Set();
  for (let at = 0; at < data.length; at += 4 * 97) seen.add((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
  return seen.size;
}"""
"""How many colours a picture has; an empty one has one."""


@pytest.fixture(scope="module", autouse=True)
def profiles(installation: Installation) -> Iterator[None]:
    """Two profiles whose workspaces end within minutes."""
    with configured(installation, {"workspaces.profiles": PROFILES}):
        yield


@pytest.fixture(scope="module", autouse=True)
def elsewhere(engineer: Visitor, installation: Installation) -> list[str]:
    """What any page of the person asked of servers that are not the platform."""
    asked: list[str] = []

    def note(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.netloc != urlsplit(installation.url).netloc:
            asked.append(request.url)

    def take_back(request: Request) -> None:
        # The browser tells of what a policy forbade as of a request, and never sends it.
        if request.failure == "csp" and request.url in asked:
            asked.remove(request.url)

    engineer.context.on("request", note)
    engineer.context.on("requestfailed", take_back)
    return asked


def open_tool(visitor: Visitor, name: str) -> Page:
    """Click on a tool of the Workbench."""
    page = visitor.open("/app/workbench")
    page.get_by_role("link").filter(has=page.get_by_role("heading", name=name, exact=True)).click()
    return page


def inside(installation: Installation, visitor: Visitor, script: str) -> list[str]:
    """Give the command that runs a script in somebody's workspace, as its owner."""
    user = installation.places.settings.workspace_user_id
    container = f"{installation.places.settings.name}-workspace-{visitor.name}"
    return ["docker", "exec", "--user", f"{user}:{user}", container, "sh", "-c", script]


def panel(page: Page, server: str) -> Locator:
    return page.get_by_role("region", name=f"Workspace {server}" if server else "Your workspace")


def make_workspace(page: Page, server: str, profile: str) -> Locator:
    """Make a named workspace with a profile; it runs when this returns."""
    page.get_by_role("button", name="New workspace …").click()
    page.get_by_label("Name", exact=True).fill(server)
    page.get_by_label("Profile", exact=True).select_option(profile)
    page.get_by_role("button", name="Make and start").click()
    expect(page.locator(f"#state-{server}")).to_have_text("running", timeout=90_000)
    return panel(page, server)


def remove_workspace(page: Page, server: str) -> None:
    """Remove a stopped one."""
    panel(page, server).get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Remove it").click()
    expect(panel(page, server)).to_have_count(0, timeout=60_000)


# --- tools ----------------------------------------------------------------------------------------------------------


def test_a_notebook_computes_in_lab_and_git_is_beside_it(engineer: Visitor, workspace: Path, shot: Shot) -> None:
    """Where people spend the day."""
    page = open_tool(engineer, "JupyterLab")
    page.locator(".jp-LauncherCard", has_text="Python 3").first.click()
    expect(page.get_by_role("button", name="Python 3 | Idle")).to_be_visible(timeout=60_000)
    cell = page.locator(".jp-Notebook .jp-CodeCell .cm-content").first
    cell.fill("print(6 * 7)")
    expect(cell).to_contain_text("print(6 * 7)")
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".jp-OutputArea-output").first).to_contain_text("42", timeout=60_000)
    page.locator("[data-id='jp-git-sessions']").click()
    expect(page.get_by_role("button", name="Clone a Repository")).to_be_visible()
    page.emulate_media(color_scheme="dark")
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    shot(page, "tool-lab", full_page=False)
    page.close()


HOG = "block = []\nwhile True: block.append(bytearray(b'x') * (64 << 20))"


def test_lab_itself_says_that_a_program_ran_out_of_memory(engineer: Visitor, workspace: Path, shot: Shot) -> None:
    """Whoever only sees a kernel that restarts looks for the mistake in their own code."""
    page = open_tool(engineer, "JupyterLab")
    page.locator(".jp-LauncherCard", has_text="Python 3").first.click()
    expect(page.get_by_role("button", name="Python 3 | Idle")).to_be_visible(timeout=60_000)
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").first.fill(HOG)
    page.keyboard.press("Shift+Enter")
    expect(page.get_by_text("because this workspace ran out of memory").first).to_be_visible(timeout=60_000)
    shot(page, "tool-lab-memory", full_page=False)
    page.close()


def test_the_notebook_page_shows_the_files(engineer: Visitor, workspace: Path, shot: Shot) -> None:
    """For those whom Lab's many panels are too much."""
    page = open_tool(engineer, "Notebook")
    expect(page.locator(".jp-DirListing-item", has_text="digital_twins")).to_be_visible(timeout=30_000)
    page.emulate_media(color_scheme="dark")
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    shot(page, "tool-notebook", full_page=False)
    page.close()


def test_vs_code_opens_the_persons_files(engineer: Visitor, workspace: Path, shot: Shot) -> None:
    """Its explorer speaks with the workspace over a WebSocket, so a file that is there shows that it works."""
    write_as_owner(workspace / "from-outside.txt", "seen in the editor")
    page = open_tool(engineer, "VS Code")
    tree = page.get_by_role("tree", name="Files Explorer")
    tree.get_by_role("treeitem", name="from-outside.txt", exact=True).dblclick(timeout=60_000)
    expect(page.locator(".view-lines")).to_contain_text("seen in the editor", timeout=30_000)
    page.emulate_media(color_scheme="dark")
    expect(page.locator(".monaco-workbench.vs-dark")).to_be_visible()
    shot(page, "tool-vscode", full_page=False)
    page.close()


def test_the_desktop_shows_a_picture_that_answers(engineer: Visitor, workspace: Path, shot: Shot) -> None:
    """A grey rectangle is what people of other platforms wrote about."""
    page = open_tool(engineer, "Desktop")
    screen = page.locator("canvas").first
    wait_until(lambda: screen.evaluate(COLOURS) > 100, 60, "a picture of the desktop", pause_s=0.5)
    shot(page, "tool-desktop", full_page=False)
    page.close()


def test_the_terminal_does_what_is_typed_and_opens_again_after_its_end(
    engineer: Visitor, workspace: Path, shot: Shot
) -> None:
    """The link is a bookmark: it works tomorrow, when the shell was left with 'exit' today."""
    for word in ("first", "second"):
        page = open_tool(engineer, "Terminal")
        terminal = page.locator(".jp-Terminal .xterm-helper-textarea")
        terminal.focus(timeout=60_000)
        expect(page.locator(".xterm-rows, .xterm-screen canvas").first).to_be_visible()
        typed = workspace / "data" / f"{word}.txt"
        page.keyboard.type(f"echo {word} > /workspace/data/{word}.txt\n")
        wait_until(typed.exists, 30, f"what was typed the {word} time")
        shot(page, f"tool-terminal-{word}", full_page=False)
        page.keyboard.type("exit\n")
        wait_until(lambda page=page: page.request.get(f"/user/{engineer.name}/api/terminals").json() == [], 30, "exit")
        page.close()


def test_ungit_draws_a_repository(engineer: Visitor, workspace: Path, installation: Installation, shot: Shot) -> None:
    """With the commits that are in it."""
    page = engineer.open("/app/workbench")
    git = "git -C /workspace/data/bridge -c user.name=Ada -c user.email=ada@example.org"
    script = f"git init -q /workspace/data/bridge && {git} commit -q --allow-empty -m 'A first look at the bridge'"
    subprocess.run(inside(installation, engineer, script), check=True)
    page.get_by_role("link").filter(has=page.get_by_role("heading", name="ungit", exact=True)).click()
    expect(page).to_have_title(re.compile("ungit"), timeout=60_000)
    page.goto(f"/user/{engineer.name}/ungit/#/repository?path=/workspace/data/bridge")
    expect(page.get_by_text("A first look at the bridge").first).to_be_visible(timeout=30_000)
    shot(page, "tool-ungit", full_page=False)
    page.close()


def test_no_tool_sends_the_browser_elsewhere(elsewhere: list[str]) -> None:
    """Whoever works on something confidential has nobody look over the shoulder: no statistics, no fonts, no news."""
    assert [address for address in elsewhere if not address.startswith(KNOWN)] == []


# --- what it uses, how long it lasts, why it ended ------------------------------------------------------------------


def test_the_workbench_shows_what_a_workspace_uses(
    engineer: Visitor, workspace: Path, installation: Installation, shot: Shot
) -> None:
    """Whoever wonders why it is slow looks here."""
    page = engineer.open("/app/workbench")
    rows = panel(page, "").locator(".tw-use-row")
    words = {label: rows.filter(has_text=label).locator(".tw-use-words") for label in ("Memory", "Processor", "Disk")}
    expect(words["Memory"]).to_contain_text(re.compile(r"\d (MiB|GiB) of 2"))
    expect(words["Disk"]).to_contain_text(re.compile(r"\d (kB|MB|GB)"))
    expect(rows.filter(has_text="Time left")).to_contain_text("without use")
    busy = subprocess.Popen(inside(installation, engineer, "timeout 30 sh -c 'while :; do :; done'"))
    expect(words["Processor"]).to_contain_text(
        re.compile(r"^(0\.[4-9]\d?|[1-9][\d.]*) of [\d.]+ cores"), timeout=25_000
    )
    shot(page, "workbench")
    busy.terminate()
    busy.wait()
    page.close()


@pytest.fixture(scope="module")
def ending(engineer: Visitor) -> Iterator[Page]:
    """The Workbench, with two named workspaces that are going to end: 'reading' when idle, 'exercise' in any case."""
    page = engineer.open("/app/workbench")
    make_workspace(page, "reading", "naps")
    make_workspace(page, "exercise", "brief")
    yield page
    page.close()


def warned(page: Page, server: str) -> bool:
    found = page.request.get("/app/api/notices").json()["workspaces"]
    return any(one["warned"] for one in found if one["server"] == server)


def test_a_named_workspace_says_which_profile_it_has(ending: Page, shot: Shot) -> None:
    """Whoever waits for a result wants to know what it may take, and which tools are there."""
    expect(panel(ending, "exercise")).to_contain_text("Profile 'brief' (for an exercise): 1 GiB memory")
    ending.locator("#tools-choice").select_option("exercise")
    expect(ending.locator(".tw-missing")).to_have_count(3)
    shot(ending, "workbench-named")


def test_an_idle_workspace_warns_on_every_page_and_is_kept_by_a_click(
    engineer: Visitor, ending: Page, shot: Shot
) -> None:
    """Somebody who reads for an hour says so once, wherever they are."""
    wait_until(lambda: warned(ending, "reading"), 60, "the warning", pause_s=0.5)
    library = engineer.open("/app/library")
    notice = library.get_by_role("alert").filter(has_text="Nobody seems to use your workspace 'reading'")
    expect(notice).to_be_visible()
    shot(library, "library-warned", full_page=False)
    notice.get_by_role("button", name="Keep it running …").click()
    shot(library, "keep", full_page=False)
    library.get_by_role("button", name="1 hour").click()
    expect(notice).to_have_count(0)
    library.close()
    expect(panel(ending, "reading")).to_contain_text("Kept until", timeout=20_000)


def test_a_workspace_that_ended_says_why_on_both_pages(engineer: Visitor, ending: Page, shot: Shot) -> None:
    """An empty page and no reason is what makes people write to the administrator."""
    expect(ending.locator("#state-exercise")).to_have_text("stopped", timeout=90_000)
    expect(panel(ending, "exercise")).to_contain_text("as long as it may run at a time")
    shot(ending, "workbench-ended")
    gone = engineer.open(f"/user/{engineer.name}/exercise/lab")
    expect(gone.get_by_role("heading", name="Your workspace 'exercise' has ended")).to_be_visible()
    expect(gone.locator("main").get_by_role("alert")).to_contain_text("as long as it may run at a time")
    shot(gone, "not-running")
    gone.close()


def test_named_workspaces_are_stopped_and_removed(ending: Page) -> None:
    """Room that nobody needs any more goes to others."""
    panel(ending, "reading").get_by_role("button", name="Stop").click()
    ending.get_by_role("button", name="Stop it").click()
    expect(ending.locator("#state-reading")).to_have_text("stopped", timeout=60_000)
    remove_workspace(ending, "reading")
    remove_workspace(ending, "exercise")
    expect(ending.get_by_role("region", name=re.compile("^Workspace "))).to_have_count(0)
