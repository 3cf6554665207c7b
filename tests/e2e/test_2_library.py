"""Job 2: files go in, come out and are the workspace's at once, and the other way round."""

import io
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.installation import Installation, wait_until, write_as_owner
from tests.support.visitor import Visitor

Shot = Callable[[Page, str], None]


@pytest.fixture
def library(engineer: Visitor) -> Iterator[Page]:
    page = engineer.open("/app/library/private/data")
    expect(page.locator("#count")).to_be_attached()
    yield page
    page.close()


@pytest.fixture
def files(engineer: Visitor, installation: Installation) -> Path:
    return installation.places.files / engineer.name


def drag(page: Page, *paths: Path) -> None:
    """Drag files and folders from the desktop into the page, as the browser itself sees it."""
    box = page.locator(".tw-drop").bounding_box()
    assert box is not None
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send(
            "Input.dispatchDragEvent",
            {"type": kind, "x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2, "data": data},
        )


def row(page: Page, name: str):
    return page.locator("#rows tr").filter(has=page.get_by_text(name, exact=True))


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
    large = tmp_path / "large.bin"
    with large.open("wb") as stream:
        stream.truncate(300_000_000)
    library.get_by_label("Upload files").set_input_files(large)
    expect(library.locator(".tw-upload-state").filter(has_text="MB/s")).to_be_visible()
    expect(library.locator(".tw-upload-state").filter(has_text="done, 300 MB")).to_be_visible(timeout=60_000)
    assert (files / "data/large.bin").stat().st_size == 300_000_000
    (files / "data/large.bin").unlink()


def test_a_cancelled_upload_leaves_nothing(
    library: Page, files: Path, tmp_path: Path, installation: Installation
) -> None:
    """Half a data set under its full name is worse than none."""
    large = tmp_path / "cut.bin"
    with large.open("wb") as stream:
        stream.truncate(3_000_000_000)
    library.get_by_label("Upload files").set_input_files(large)
    expect(library.locator(".tw-upload-state").filter(has_text="MB/s")).to_be_visible()
    library.get_by_role("button", name="Cancel").click()
    expect(library.locator(".tw-upload-state")).to_have_text("cancelled")
    wait_until(lambda: not list(installation.places.uploads.iterdir()), 20, "the clean-up of the cut upload")
    assert not (files / "data/cut.bin").exists()


def test_files_download_as_they_were_and_folders_as_zip(library: Page, files: Path) -> None:
    """What goes in must come out."""
    data = bytes(range(256))
    write_as_owner(files / "data/out/raw.bin", data)
    library.reload()
    with library.expect_download() as zipped:
        library.get_by_label("Download out as zip").click()
    with zipfile.ZipFile(io.BytesIO(Path(zipped.value.path()).read_bytes())) as archive:
        assert archive.read("out/raw.bin") == data
    library.get_by_role("link", name="out", exact=True).click()
    with library.expect_download() as single:
        library.get_by_label("Download raw.bin").click()
    assert single.value.suggested_filename == "raw.bin"
    assert Path(single.value.path()).read_bytes() == data


def test_text_files_are_made_edited_renamed_deleted_and_brought_back(library: Page, files: Path, shot: Shot) -> None:
    """Small things must not need a workspace, and a slip must not cost work."""
    library.get_by_role("button", name="New text file").click()
    dialog = library.get_by_role("dialog")
    dialog.get_by_label("Name").fill("notes.md")
    dialog.get_by_label("Text").fill("# First\n")
    shot(library, "library-new-file")
    dialog.get_by_role("button", name="Save").click()
    expect(row(library, "notes.md")).to_be_visible()
    row(library, "notes.md").get_by_role("button", name="Edit").click()
    dialog.get_by_label("Text").fill("# Second ü\nline")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    wait_until(lambda: (files / "data/notes.md").read_text() == "# Second ü\nline", 5, "the edit")
    library.get_by_label("Rename notes.md").click()
    dialog.get_by_label("New name").fill("minutes.md")
    dialog.get_by_role("button", name="Rename").click()
    expect(row(library, "minutes.md")).to_be_visible()
    library.get_by_label("Delete minutes.md").click()
    expect(row(library, "minutes.md")).to_have_count(0)
    assert not (files / "data/minutes.md").exists()
    library.get_by_role("button", name="Undo").click()
    expect(row(library, "minutes.md")).to_be_visible()
    assert (files / "data/minutes.md").read_text() == "# Second ü\nline"


def test_a_refused_save_keeps_what_was_typed(library: Page, files: Path) -> None:
    """Ten minutes of notes must not be lost to a name that is taken, or to the Escape key."""
    write_as_owner(files / "data/taken.md", "old")
    library.get_by_role("button", name="New text file").click()
    dialog = library.get_by_role("dialog")
    dialog.get_by_label("Name").fill("taken.md")
    dialog.get_by_label("Text").fill("ten minutes of notes")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("exists already")
    library.keyboard.press("Escape")
    expect(dialog.get_by_role("alert")).to_contain_text("not saved")
    expect(dialog.get_by_label("Text")).to_have_value("ten minutes of notes")
    dialog.get_by_label("Name").fill("free.md")
    dialog.get_by_role("button", name="Save").click()
    expect(row(library, "free.md")).to_be_visible()
    assert (files / "data/free.md").read_text() == "ten minutes of notes"
    assert (files / "data/taken.md").read_text() == "old"


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
    expect(library.locator(".tw-upload-state").last).to_contain_text("done")
    assert (files / "data/same.txt").read_text() == "new"


def test_the_keyboard_is_enough(library: Page, files: Path) -> None:
    """Not everybody has a mouse."""
    write_as_owner(files / "data/keys/inside.txt", "x")
    library.reload()
    expect(row(library, "keys")).to_be_visible()
    library.keyboard.press("/")
    library.keyboard.type("keys")
    expect(library.locator("#rows tr")).to_have_count(1)
    library.keyboard.press("Tab")
    row(library, "keys").get_by_role("link", name="keys", exact=True).focus()
    library.keyboard.press("Enter")
    expect(row(library, "inside.txt")).to_be_visible()
    library.keyboard.press("ArrowDown")
    library.keyboard.press("F2")
    library.get_by_label("New name").fill("renamed.txt")
    library.keyboard.press("Enter")
    expect(row(library, "renamed.txt")).to_be_visible()
    row(library, "renamed.txt").get_by_role("link", name="renamed.txt", exact=True).focus()
    library.keyboard.press("Delete")
    expect(row(library, "renamed.txt")).to_have_count(0)


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
    library.get_by_label("Delete f").click()
    expect(row(library, "f")).to_have_count(0)
    assert not (workspace / "data/made/f").exists()
    assert (workspace / "data/from-browser.txt").read_text() == "hellochanged\n"
    library.goto("/app/library/common/data")
    expect(row(library, "from-ada.txt")).to_be_visible()


def test_every_view_of_the_library_is_readable(library: Page, shot: Shot) -> None:
    """Screenshots for people to look at: empty, filled, common."""
    library.goto("/app/library/private/data")
    expect(library.locator("#rows tr").first).to_be_visible()
    shot(library, "library")
    library.goto("/app/library/private/functions")
    expect(library.locator("#empty")).to_be_visible()
    shot(library, "library-empty")
    for width in (1280, 360):
        library.set_viewport_size({"width": width, "height": 780})
        assert library.evaluate("document.documentElement.scrollWidth") <= width, "the page scrolls sideways"
