"""Job 3: the example twin runs in JupyterLab's terminal, by the twin command, and on the page."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import SHOTS
from tests.support.installation import wait_until, write_as_owner
from tests.support.visitor import Visitor

Shot = Callable[[Page, str], None]
TWIN = "mass-spring-damper"


@pytest.fixture(scope="module")
def terminal(engineer: Visitor, workspace: Path) -> Callable[[str], str]:
    """Type a line into JupyterLab's terminal; give what it printed, by way of a file."""
    page = engineer.open(f"/user/{engineer.name}/lab")
    page.locator(".jp-Launcher").wait_for(timeout=60_000)
    page.locator(".jp-LauncherCard").filter(has_text="Terminal").click()
    page.locator(".jp-Terminal .xterm").wait_for()
    page.locator(".xterm-helper-textarea").focus()
    count = 0

    def type_line(line: str) -> str:
        nonlocal count
        count += 1
        said, done = workspace / f"data/.said-{count}", workspace / f"data/.done-{count}"
        here = f"/workspace/data/.said-{count}"
        page.keyboard.insert_text(f"({line}) 2>&1 | tee {here}; touch /workspace/data/.done-{count}")
        page.keyboard.press("Enter")
        wait_until(done.exists, 90, line)
        return said.read_text()

    type_line.page = page  # type: ignore[attr-defined]
    return type_line


def test_a_new_user_finds_the_example_and_runs_it_in_the_terminal(terminal, workspace: Path, shot: Shot) -> None:
    """The two lines that stand in the README."""
    said = terminal(f'cd "/workspace/digital_twins/{TWIN}" && lifecycle/execute')
    assert "10001 rows" in said
    lines = (workspace / "data" / TWIN / "outputs.csv").read_text().splitlines()
    assert lines[0].startswith("time,{mass1}.first.x1,{mass1}.first.v1,")
    assert float(lines[-1].split(",")[0]) == pytest.approx(10.0)
    terminal(f"cd /workspace/digital_twins/{TWIN} && lifecycle/analyze")
    assert (workspace / "data" / TWIN / "plot.png").read_bytes().startswith(b"\x89PNG\r\n")
    plot = workspace / "data" / TWIN / "plot.png"
    plot.unlink()
    terminal.page.keyboard.press("Control+l")
    terminal.page.keyboard.insert_text(
        f'cd "/workspace/digital_twins/{TWIN}" && lifecycle/execute && lifecycle/analyze'
    )
    terminal.page.keyboard.press("Enter")
    wait_until(plot.exists, 60, "the run for the picture")
    shot(terminal.page, "terminal")


def test_the_twin_command_runs_records_and_shows_runs(terminal) -> None:
    """What a bare script lacks."""
    assert TWIN in terminal("twin list")
    assert "10001 rows" in terminal(f"twin run {TWIN} execute; echo status $?")
    history = terminal(f"twin history {TWIN}")
    assert re.search(rf"{TWIN}\s+execute\s+succeeded.*exit 0", history)
    run_id = re.search(r"\d{8}T\d{9}-[0-9a-f]{6}", history)
    assert run_id is not None
    assert "100.0 %" in terminal(f"twin logs {run_id[0]}")
    assert "nosuch" in terminal("twin run nosuch execute; echo status $?")


def test_the_page_runs_phases_shows_the_log_live_and_what_came_out(
    engineer: Visitor, workspace: Path, shot: Shot
) -> None:
    """The same twin for people who do not like terminals."""
    page = engineer.open("/app/digitaltwins")
    card = page.locator(f'[data-twin="{TWIN}"]')
    expect(card).to_be_visible()
    for phase in ("clean", "create", "execute", "analyze"):
        card.get_by_role("button", name=re.compile(f"^Run {phase} ")).click()
        expect(page.locator("#log-title")).to_have_text(f"{TWIN} {phase}")
        expect(page.locator("#log-state")).to_have_text("succeeded", timeout=60_000)
    expect(page.locator("#log")).to_contain_text("plot:")
    shot(page, "digital-twins")
    page.goto(f"/app/digitaltwins/{TWIN}/analyze")
    picture = page.locator('[data-panel="outputs"] img').first
    expect(picture).to_be_visible()
    wait_until(
        lambda: picture.evaluate("image => image.complete && image.naturalWidth > 100"), 20, "the plot's picture"
    )
    page.goto(f"/app/digitaltwins/{TWIN}/analyze?part=runs")
    expect(page.locator('[data-panel="runs"] tbody tr').first).to_contain_text("analyze")
    shot(page, "digital-twins-history")
    page.close()


def test_a_long_run_shows_its_log_live_and_stops_on_demand(engineer: Visitor, workspace: Path, shot: Shot) -> None:
    """A twin made on the Library page alone, run and stopped from the page."""
    library = engineer.open("/app/library/private/digital_twins/ticker/lifecycle")
    library.get_by_role("button", name="New text file").click()
    dialog = library.get_by_role("dialog")
    dialog.get_by_label("Name").fill("execute")
    dialog.get_by_label("Text").fill('#!/bin/bash\nn=0\nwhile sleep 0.2; do echo "tick $((n++))"; done\n')
    dialog.get_by_role("button", name="Save").click()
    expect(library.locator("#rows [role=row]")).to_have_count(1)
    page = engineer.open("/app/digitaltwins")
    card = page.locator('[data-twin="ticker"]')
    card.get_by_role("button", name="Run execute of ticker").click()
    expect(page.locator("#log")).to_contain_text("tick 3")
    expect(page.locator("#log-state")).to_have_text("running")
    expect(card).to_contain_text("execute running")
    shot(page, "digital-twins-running")
    workbench = engineer.open("/app/workbench")
    workbench.get_by_role("button", name="Stop").click()
    expect(workbench.get_by_role("dialog")).to_contain_text("ticker")
    workbench.get_by_role("button", name="Cancel").click()
    workbench.close()
    card.get_by_role("button", name="Stop execute of ticker").click()
    expect(page.locator("#log-state")).to_have_text("stopped")
    expect(card).to_contain_text("execute stopped")
    page.close()


def test_a_failed_run_says_how_it_failed(engineer: Visitor, workspace: Path) -> None:
    """A red word without a reason sends people to the terminal."""
    write_as_owner(workspace / "digital_twins/broken/lifecycle/execute", "#!/bin/sh\necho start; exit 3\n")
    (workspace / "digital_twins/broken/lifecycle/execute").chmod(0o755)
    page = engineer.open("/app/digitaltwins")
    page.get_by_role("button", name="Run execute of broken").click()
    expect(page.locator("#log-end")).to_contain_text("exit code 3, after")
    page.close()


def test_the_workbench_leads_to_every_tool(engineer: Visitor, workspace: Path, shot: Shot) -> None:
    """Each card is one click away from its tool."""
    page = engineer.open("/app/workbench")
    expect(page.locator("#state")).to_have_text("running")
    shot(page, "workbench")
    links = [link.get_attribute("href") for link in page.locator(".tw-tool").all()]
    seen = {"lab": ".jp-Launcher, .jp-MainAreaWidget", "terminals/main": ".xterm", "tree": ".jp-FileBrowser"}
    for ending, mark in seen.items():
        address = next(link for link in links if link and link.endswith(ending))
        tool = engineer.open(address)
        tool.locator(mark).first.wait_for(timeout=60_000)
        tool.close()
    page.close()


def test_a_stopped_workspace_starts_from_a_tools_link_and_shows_how(
    engineer: Visitor, workspace: Path, shot: Shot
) -> None:
    """A bookmark to JupyterLab must work in the morning, when everything has been stopped."""
    workbench = engineer.open("/app/workbench")
    workbench.get_by_role("button", name="Stop").click()
    workbench.get_by_role("button", name="Stop it").click()
    expect(workbench.locator("#state")).to_have_text("stopped", timeout=30_000)
    shot(workbench, "workbench-stopped")
    page = engineer.open(f"/user/{engineer.name}/lab")
    expect(page.get_by_role("heading", name="Your workspace is starting")).to_be_visible()
    expect(page.locator("#progress-message")).to_contain_text(re.compile("container|server", re.IGNORECASE))
    page.screenshot(path=SHOTS / "spawn-1280-light.png")
    page.locator(".jp-Launcher, .jp-MainAreaWidget").first.wait_for(timeout=60_000)
    workbench.close()
    page.close()
