"""Job 2: files go in, come out and are the workspace's at once, and the other way round."""

import io
import os
import re
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Locator, Page, expect

from tests.support.installation import Installation, wait_until, write_as_owner
from tests.support.visitor import Visitor

Shot = Callable[..., None]

HOSTILE = "<img src=x onerror=\"window.ran='img'\"><script>window.ran='script'</script>"
"""What would run if anything of a user's file became part of the page as HTML."""

MODEL = """<?xml version="1.0"?>
<fmiModelDescription fmiVersion="2.0" modelName="Spring" guid="1" description="{description}">
  <CoSimulation modelIdentifier="Spring"/>
  <ModelVariables>
    <ScalarVariable name="mass" valueReference="0" causality="parameter" variability="fixed">
      <Real unit="kg" start="1.5"/>
    </ScalarVariable>
    <ScalarVariable name="{name}" valueReference="1" causality="output"><Real unit="m"/></ScalarVariable>
  </ModelVariables>
  <ModelStructure/>
</fmiModelDescription>
"""


@pytest.fixture
def library(engineer: Visitor) -> Iterator[Page]:
    page = engineer.open("/app/library/private/data")
    expect(page.locator("#count")).not_to_be_empty()
    page.on("dialog", leave)
    yield page
    page.close()


@pytest.fixture
def files(engineer: Visitor, installation: Installation) -> Path:
    return installation.places.files / engineer.name


def leave(dialog: Dialog) -> None:
    """Leave the page although the browser warns."""
    dialog.accept()


def drag(page: Page, *paths: Path) -> None:
    """Drag files and folders from the desktop into the page, as the browser itself sees it."""
    box = page.locator(".tw-drop").bounding_box()
    assert box is not None
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send(
            "Input.dispatchDragEvent",
            {"type": kind, "x": box["x"] + box["width"] / 2, "y": box["y"] + 60, "data": data},
        )


def row(page: Page, name: str) -> Locator:
    """The line of an entry; in a long folder only those in sight are in the page."""
    return page.locator(f'#rows [data-name="{name}"]')


def act(page: Page, name: str, action: str) -> None:
    """Choose one of an entry's actions in its menu."""
    row(page, name).get_by_label(f"Actions for {name}").click()
    page.get_by_role("menuitem", name=action).click()


def editor(page: Page) -> Locator:
    """The text of the open editor."""
    return page.get_by_role("dialog").get_by_label("Text", exact=True)


def large_file(folder: Path, name: str, size: int) -> Path:
    """Make a file that takes no room on the disk."""
    path = folder / name
    with path.open("wb") as stream:
        stream.truncate(size)
    return path


def send_slowly(page: Page) -> None:
    """Make the network slow enough to press something in the middle of an upload."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    slow = {"offline": False, "latency": 20, "downloadThroughput": -1, "uploadThroughput": 30_000_000}
    session.send("Network.emulateNetworkConditions", slow)


def test_the_page_has_all_kinds_of_assets_private_and_common(library: Page) -> None:
    """The five kinds that DTaaS users know."""
    for label in ("Data", "Models", "Functions", "Tools", "Digital Twins"):
        library.get_by_label("Kinds of assets").get_by_role("link", name=label).click()
        expect(library.locator("#crumbs")).to_have_text(label)
    library.get_by_role("link", name="Common").click()
    expect(library.locator("#workspace-path")).to_have_text("/workspace/common/digital_twins")


def test_dragged_files_and_folders_arrive_whole(library: Page, files: Path, tmp_path: Path, shot: Shot) -> None:
    """The way in for most assets; folders keep their shape, empty ones too."""
    folder = tmp_path / "wind tunnel ü"
    (folder / "deep/er").mkdir(parents=True)
    (folder / "empty").mkdir()
    content = {"a.csv": b"t,x\n0,1\n", "deep/b.bin": bytes(range(256)) * 4000, "deep/er/c": b""}
    for name, data in content.items():
        (folder / name).write_bytes(data)
    single = tmp_path / "single.txt"
    single.write_text("one file")
    drag(library, folder, single)
    expect(library.locator(".tw-upload-state").filter(has_text="done")).to_have_count(4)
    expect(row(library, "wind tunnel ü")).to_be_visible()
    shot(library, "library-uploaded")
    placed = files / "data" / "wind tunnel ü"
    assert {name: (placed / name).read_bytes() for name in content} == content
    assert (placed / "empty").is_dir()
    assert (files / "data/single.txt").read_text() == "one file"
    library.get_by_role("link", name="wind tunnel ü", exact=True).click()
    library.get_by_role("link", name="deep", exact=True).click()
    expect(row(library, "b.bin")).to_contain_text("1.0 MB")
    library.go_back()
    expect(row(library, "a.csv")).to_be_visible()


def test_progress_shows_while_a_large_file_is_on_its_way(library: Page, files: Path, tmp_path: Path) -> None:
    """An upload that shows nothing looks broken."""
    library.get_by_label("Upload files").set_input_files(large_file(tmp_path, "large.bin", 300_000_000))
    expect(library.locator(".tw-upload-state").filter(has_text="MB/s")).to_be_visible()
    expect(library.locator(".tw-upload-state").filter(has_text="done, 300 MB")).to_be_attached(timeout=60_000)
    assert (files / "data/large.bin").stat().st_size == 300_000_000
    (files / "data/large.bin").unlink()


def test_a_paused_upload_goes_on_where_it_was(library: Page, files: Path, tmp_path: Path) -> None:
    """Somebody needs the line for a call."""
    send_slowly(library)
    library.get_by_label("Upload files").set_input_files(large_file(tmp_path, "paused.bin", 200_000_000))
    state = library.locator('[data-path$="paused.bin"] .tw-upload-state')
    expect(state).to_contain_text("MB/s")
    library.get_by_label("Pause paused.bin").click()
    expect(state).to_contain_text("paused at")
    assert not (files / "data/paused.bin").exists()
    library.get_by_label("Resume paused.bin").click()
    expect(state).to_contain_text("done, 200 MB", timeout=60_000)
    assert (files / "data/paused.bin").stat().st_size == 200_000_000
    (files / "data/paused.bin").unlink()


def test_after_a_reload_the_same_file_goes_on_and_another_is_refused(
    library: Page, files: Path, tmp_path: Path, shot: Shot
) -> None:
    """The browser was closed at 90 per cent of an hour's upload."""
    whole = large_file(tmp_path, "long.bin", 200_000_000)
    send_slowly(library)
    library.get_by_label("Upload files").set_input_files(whole)
    state = library.locator('[data-path$="long.bin"] .tw-upload-state')
    expect(state).to_contain_text(re.compile(r"[2-9]\d\.\d MB of 200 MB"), timeout=60_000)
    library.reload()
    expect(state).to_contain_text("stopped at")
    shot(library, "library-unfinished-upload")
    sent = library.evaluate("fetch('/lib/uploads').then((answer) => answer.json())")["uploads"]
    assert [(upload["length"], upload["offset"] > 8_000_000) for upload in sent] == [(200_000_000, True)]
    library.get_by_label("Upload files").set_input_files(whole)
    expect(state).to_contain_text("done, 200 MB", timeout=60_000)
    assert (files / "data/long.bin").stat().st_size == 200_000_000
    (files / "data/long.bin").unlink()


def test_a_cancelled_upload_leaves_nothing(
    library: Page, files: Path, tmp_path: Path, installation: Installation
) -> None:
    """Half a data set under its full name is worse than none."""
    library.get_by_label("Upload files").set_input_files(large_file(tmp_path, "cut.bin", 3_000_000_000))
    expect(library.locator(".tw-upload-state").filter(has_text="MB/s")).to_be_visible()
    library.get_by_label("Cancel cut.bin").click()
    expect(library.locator('[data-path$="cut.bin"] .tw-upload-state')).to_have_text("cancelled")
    held = installation.places.uploads
    wait_until(lambda: not [file for file in held.rglob("*") if file.stat().st_size > 5_000_000], 20, "the clean-up")
    assert library.evaluate("fetch('/lib/uploads').then((answer) => answer.json())") == {"uploads": []}
    assert not (files / "data/cut.bin").exists()


def test_files_download_as_they_were_and_folders_as_zip(library: Page, files: Path) -> None:
    """What goes in must come out."""
    data = bytes(range(256))
    write_as_owner(files / "data/out/raw.bin", data)
    library.reload()
    with library.expect_download() as zipped:
        act(library, "out", "Download as zip")
    with zipfile.ZipFile(io.BytesIO(Path(zipped.value.path()).read_bytes())) as archive:
        assert archive.read("out/raw.bin") == data
    library.get_by_role("link", name="out", exact=True).click()
    with library.expect_download() as single:
        act(library, "raw.bin", "Download")
    assert single.value.suggested_filename == "raw.bin"
    assert Path(single.value.path()).read_bytes() == data


def test_text_files_are_made_edited_renamed_deleted_and_brought_back(library: Page, files: Path, shot: Shot) -> None:
    """Small things must not need a workspace, and a slip must not cost work."""
    library.get_by_role("button", name="New text file").click()
    dialog = library.get_by_role("dialog")
    dialog.get_by_label("Name").fill("notes.md")
    editor(library).fill("# First\n")
    shot(library, "library-new-file")
    dialog.get_by_role("button", name="Save").click()
    expect(row(library, "notes.md")).to_be_visible()
    act(library, "notes.md", "Edit")
    editor(library).fill("# Second ü\nline")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("status")).to_have_text("saved")
    assert (files / "data/notes.md").read_text() == "# Second ü\nline"
    dialog.get_by_role("button", name="Close").click()
    act(library, "notes.md", "Rename")
    dialog.get_by_label("New name").fill("minutes.md")
    dialog.get_by_role("button", name="Rename").click()
    expect(row(library, "minutes.md")).to_be_visible()
    act(library, "minutes.md", "Delete")
    expect(row(library, "minutes.md")).to_have_count(0)
    assert not (files / "data/minutes.md").exists()
    library.get_by_role("button", name="Undo").click()
    expect(row(library, "minutes.md")).to_be_visible()
    assert (files / "data/minutes.md").read_text() == "# Second ü\nline"


def test_a_refused_save_keeps_what_was_typed(library: Page, files: Path) -> None:
    """Ten minutes of notes must not be lost to a name that is taken, to Escape or to the back button."""
    write_as_owner(files / "data/taken.md", "old")
    for label in ("Models", "Data"):
        library.get_by_label("Kinds of assets").get_by_role("link", name=label).click()
    library.get_by_role("button", name="New text file").click()
    dialog = library.get_by_role("dialog")
    dialog.get_by_label("Name").fill("taken.md")
    editor(library).fill("ten minutes of notes")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("taken.md")
    library.keyboard.press("Escape")
    expect(dialog.get_by_role("alert")).to_contain_text("not saved")
    library.evaluate("history.back()")
    expect(dialog.get_by_role("alert")).to_contain_text("not saved")
    expect(editor(library)).to_have_text("ten minutes of notes")
    dialog.get_by_label("Name").fill("free.md")
    dialog.get_by_role("button", name="Save").click()
    expect(row(library, "free.md")).to_be_visible()
    assert (files / "data/free.md").read_text() == "ten minutes of notes"
    assert (files / "data/taken.md").read_text() == "old"


def test_two_people_who_edit_the_same_file_lose_nothing(library: Page, files: Path, shot: Shot) -> None:
    """The second to save sees what the first wrote before deciding."""
    write_as_owner(files / "data/shared.md", "start\n")
    library.reload()
    act(library, "shared.md", "Edit")
    editor(library).fill("mine\n")
    write_as_owner(files / "data/shared.md", "theirs\n")
    dialog = library.get_by_role("dialog")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Somebody else changed this file")
    assert (files / "data/shared.md").read_text() == "theirs\n"
    dialog.get_by_role("button", name="Compare").click()
    expect(dialog.get_by_text("theirs", exact=True)).to_be_visible()
    shot(library, "library-edit-conflict")
    dialog.get_by_role("button", name="Overwrite theirs").click()
    expect(dialog.get_by_role("status")).to_have_text("saved")
    assert (files / "data/shared.md").read_text() == "mine\n"


def test_a_folder_that_is_not_there_says_so(library: Page) -> None:
    """As when a twin's results are looked for before its first run."""
    library.goto("/app/library/private/data/no-such-twin")
    expect(library.locator("#missing")).to_be_visible()
    expect(library.locator("#empty")).to_be_hidden()


def test_a_file_that_exists_is_never_overwritten_unasked(library: Page, files: Path, tmp_path: Path) -> None:
    """The second upload of a name asks."""
    write_as_owner(files / "data/same.txt", "old")
    fresh = tmp_path / "same.txt"
    fresh.write_text("new")
    library.reload()
    library.get_by_label("Upload files").set_input_files(fresh)
    library.get_by_role("button", name="Keep both").click()
    expect(row(library, "same (2).txt")).to_be_visible()
    assert (files / "data/same.txt").read_text() == "old"
    library.get_by_label("Upload files").set_input_files(fresh)
    library.get_by_role("button", name="Replace", exact=True).click()
    wait_until(lambda: (files / "data/same.txt").read_text() == "new", 10, "the replacement")


def test_the_keyboard_is_enough(library: Page, files: Path) -> None:
    """Not everybody has a mouse."""
    write_as_owner(files / "data/keys/inside.txt", "x")
    library.reload()
    expect(row(library, "keys")).to_be_visible()
    library.keyboard.press("/")
    library.keyboard.type("keys")
    expect(library.locator("#rows [role=row]")).to_have_count(1)
    library.keyboard.press("ArrowDown")
    library.keyboard.press("Enter")
    expect(row(library, "inside.txt")).to_be_visible()
    library.locator("#list").focus()
    library.keyboard.press("F2")
    library.get_by_label("New name").fill("renamed.txt")
    library.keyboard.press("Enter")
    expect(row(library, "renamed.txt")).to_be_visible()
    library.locator("#list").focus()
    library.keyboard.press("Home")
    library.keyboard.press("Space")
    expect(library.locator("#selected-count")).to_have_text("1 selected")
    library.keyboard.press("Delete")
    expect(row(library, "renamed.txt")).to_have_count(0)


def test_a_folder_of_20000_entries_scrolls_and_filters(library: Page, files: Path, shot: Shot) -> None:
    """Measurements come in thousands of files."""
    write_as_owner(files / "data/many/f00000.txt", "")
    owner = (files / "data").stat().st_uid
    for number in range(1, 20_000):
        made = files / f"data/many/f{number:05}.txt"
        made.touch()
        os.chown(made, owner, owner)
    library.goto("/app/library/private/data/many")
    expect(library.locator("#count")).to_have_text("20,000 entries")
    library.locator("#list").focus()
    library.keyboard.press("End")
    expect(row(library, "f19999.txt")).to_be_in_viewport()
    library.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
    expect(library.locator("#rows [data-name^=f1], #rows [data-name^=f0]").first).to_be_visible()
    assert library.locator("#rows [role=row]").count() < 200
    shot(library, "library-many", full_page=False)  # the whole would be 800,000 pixels high
    library.get_by_label("Filter this folder").fill("12345")
    expect(library.locator("#rows [role=row]")).to_have_count(1)
    expect(row(library, "f12345.txt")).to_be_visible()


def test_search_finds_as_one_types(library: Page, files: Path, shot: Shot) -> None:
    """A title or a tag is remembered, not a path."""
    text = "---\ntitle: Gearbox of 2019\ndescription: Vibration of the large one.\ntags: [vibration]\n---\n# Gearbox\n"
    write_as_owner(files / "data/gb19/README.md", text)
    found = library.get_by_role("link", name="Gearbox of 2019")
    box = library.get_by_label("Search the library")

    def typed() -> bool:
        box.fill("")
        expect(library.locator("#folder-view")).to_be_visible()
        box.press_sequentially("gearb", delay=20)
        expect(library.locator("#search-count")).to_have_text(re.compile(r"\d+ found"))
        return found.count() > 0

    wait_until(typed, 30, "the new asset among what is found")
    shot(library, "library-search")
    box.press("ArrowDown")
    library.keyboard.press("Enter")
    expect(library.locator("#details")).to_contain_text("Vibration of the large one.")
    box.fill("qqqqqq")
    expect(library.locator("#no-results")).to_be_visible()


def test_previews_show_hostile_files_and_run_nothing(library: Page, files: Path, shot: Shot) -> None:
    """A colleague's file is data, whatever is in it."""
    folder = files / "data/preview"
    table = "t,x," + '"' + HOSTILE.replace('"', '""') + '"\n' + "".join(f"{n},{n * n},1\n" for n in range(500))
    write_as_owner(folder / "table.csv", table)
    write_as_owner(folder / "README.md", f"# Title\n\n{HOSTILE}\n\n[press](javascript:window.ran='link')\n")
    write_as_owner(
        folder / "drawing.svg", "<svg xmlns='http://www.w3.org/2000/svg'><script>top.ran='svg'</script></svg>"
    )
    packed = io.BytesIO()
    hostile = HOSTILE.replace("<", "&lt;").replace('"', "&quot;")
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("modelDescription.xml", MODEL.format(description=hostile, name=hostile))
    write_as_owner(folder / "spring.fmu", packed.getvalue())
    details = library.locator("#details")
    library.goto("/app/library/private/data/preview?show=table.csv")
    expect(details.locator(".tw-plot canvas")).to_be_visible()
    expect(details.locator(".tw-table")).to_contain_text("<script>")
    shot(library, "library-preview-table")
    library.goto("/app/library/private/data/preview?show=README.md")
    expect(details.locator(".tw-markdown")).to_contain_text("<script>window.ran='script'</script>")
    shot(library, "library-preview-markdown")
    library.goto("/app/library/private/data/preview?show=drawing.svg")
    expect(details.locator("img")).to_be_visible()
    library.goto("/app/library/private/data/preview?show=spring.fmu")
    details.get_by_label("Filter variables").fill("mass")
    expect(details.locator("tbody tr")).to_have_count(1)
    expect(details.locator("tbody")).to_contain_text("1.5")
    shot(library, "library-preview-fmu")
    assert library.evaluate("window.ran") is None


def test_what_was_deleted_comes_back_from_the_trash_or_goes_for_good(library: Page, files: Path, shot: Shot) -> None:
    """The Undo button is gone after a minute; the mistake is noticed a day later."""
    for name in ("regretted.txt", "secret.txt"):
        write_as_owner(files / "data" / name, name)
    library.reload()
    for name in ("regretted.txt", "secret.txt"):
        act(library, name, "Delete")
        expect(row(library, name)).to_have_count(0)
    library.get_by_role("link", name="Trash").click()
    shot(library, "library-trash")
    library.get_by_label("Restore regretted.txt").click()
    expect(library.get_by_label("Restore regretted.txt")).to_have_count(0)
    assert (files / "data/regretted.txt").read_text() == "regretted.txt"
    library.get_by_label("Delete secret.txt for good").click()
    library.get_by_role("dialog").get_by_role("button", name="Delete for good").click()
    expect(library.get_by_label("Restore secret.txt")).to_have_count(0)
    library.get_by_role("link", name="History").click()
    expect(library.locator("#history-rows")).to_contain_text("data/regretted.txt")
    shot(library, "library-history")


def test_one_publishes_and_another_takes(library: Page, files: Path, admin: Visitor, shot: Shot) -> None:
    """How an asset gets from one engineer to all others, and its origin with it."""
    write_as_owner(files / "models/damper/README.md", "---\ntitle: Damper\n---\n# Damper\n")
    library.goto("/app/library/private/models")
    act(library, "damper", "Publish to common")
    dialog = library.get_by_role("dialog")
    expect(dialog.get_by_label("Version")).to_have_value("1.0.0")
    dialog.get_by_label("What is new").fill("The first.")
    shot(library, "library-publish")
    dialog.get_by_role("button", name="Publish").click()
    expect(library.locator("#toasts")).to_contain_text("Published as damper@1.0.0")
    taker = admin.open("/app/library/common/models?show=damper%401.0.0")
    expect(taker.locator("#details")).to_contain_text("Frozen")
    shot(taker, "library-published")
    taker.get_by_role("button", name="Take into my folder").click()
    taker.get_by_role("button", name="Show").click()
    taker.goto("/app/library/private/models?show=damper")
    expect(taker.locator("#details")).to_contain_text("Taken from common/models/damper@1.0.0")
    taker.close()


def test_two_selected_files_are_compared(library: Page, files: Path, shot: Shot) -> None:
    """What did last night's run change?"""
    write_as_owner(files / "data/runs/monday.txt", "same\nold\n")
    write_as_owner(files / "data/runs/tuesday.txt", "same\nnew\n")
    library.goto("/app/library/private/data/runs")
    library.get_by_label("Select monday.txt").check()
    library.get_by_label("Select tuesday.txt").check()
    library.get_by_role("button", name="Compare").click()
    expect(library.locator("#details .tw-line-removed")).to_contain_text("old")
    expect(library.locator("#details .tw-line-added")).to_contain_text("new")
    shot(library, "library-compare")


def test_files_are_in_the_workspace_at_once_and_back_with_the_right_owner(
    workspace: Path, engineer: Visitor, library: Page, tmp_path: Path, installation: Installation
) -> None:
    """Library and workspace are two views of one folder."""
    sent = tmp_path / "from-browser.txt"
    sent.write_text("hello")
    library.get_by_label("Upload files").set_input_files(sent)
    expect(row(library, "from-browser.txt")).to_be_visible()
    container = f"{installation.places.settings.name}-workspace-{engineer.name}"
    script = (
        "stat -c '%U %a' /workspace/data/from-browser.txt; cat /workspace/data/from-browser.txt; "
        "echo changed >> /workspace/data/from-browser.txt; mkdir -p /workspace/data/made; echo x > /workspace/data/made/f; "
        "echo shared > /workspace/common/data/from-ada.txt"
    )
    command = ["docker", "exec", "--user", "59000:59000", container, "bash", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"{engineer.name} 644\nhello"
    library.reload()
    library.get_by_role("link", name="made", exact=True).click()
    act(library, "f", "Delete")
    expect(row(library, "f")).to_have_count(0)
    assert not (workspace / "data/made/f").exists()
    assert (workspace / "data/from-browser.txt").read_text() == "hellochanged\n"
    library.goto("/app/library/common/data")
    expect(row(library, "from-ada.txt")).to_be_visible()


def test_every_view_of_the_library_is_readable(library: Page, shot: Shot) -> None:
    """Screenshots for people to look at: filled, as cards, empty."""
    library.goto("/app/library/private/data")
    expect(library.locator("#rows [data-name]").first).to_be_visible()
    shot(library, "library")
    library.get_by_role("button", name="Cards").click()
    shot(library, "library-cards")
    library.get_by_role("button", name="List").click()
    library.goto("/app/library/private/tools")
    expect(library.locator("#empty")).to_be_visible()
    shot(library, "library-empty")
    for address in ("private/tools", "private/data", "private/models?show=damper", "trash", "history"):
        library.goto(f"/app/library/{address}")
        library.wait_for_load_state("networkidle")
        for width in (1280, 360):
            library.set_viewport_size({"width": width, "height": 780})
            assert library.evaluate("document.documentElement.scrollWidth") <= width, f"{address} scrolls sideways"
