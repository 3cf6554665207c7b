"""Owners' folders are made whole and never through an owner's links."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from twinhub.names import Category
from twinhub.operate.layout import ensure_layout
from twinhub.owners import ensure_owner_folder, secure_owner_folder
from twinhub.places import Places
from twinhub.settings import Settings


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "files").mkdir()
    return Places(tmp_path, Settings())


def test_a_new_owner_gets_the_five_categories_and_a_place_for_common(places: Places) -> None:
    """The Library and the workspace expect them."""
    assert ensure_owner_folder(places, "alice")
    assert {entry.name for entry in (places.files / "alice").iterdir()} == {*Category, "common"}
    assert [entry.name for entry in places.files.iterdir()] == ["alice"]


def test_common_itself_has_no_common(places: Places) -> None:
    """It would show up as an asset."""
    ensure_owner_folder(places, "common")
    assert not (places.files / "common" / "common").exists()


def test_an_existing_folder_is_left_alone(places: Places) -> None:
    """Whatever its owner did to it, nothing is written below it from outside."""
    ensure_owner_folder(places, "alice")
    data = places.files / "alice" / "data"
    data.rmdir()
    data.symlink_to("/etc")
    assert not ensure_owner_folder(places, "alice")
    assert data.is_symlink()


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Places]:
    """A data folder that another account can reach, as an installation's is."""
    if os.getuid() != 0:
        pytest.skip("only root hands folders over")
    made = Path(tempfile.mkdtemp(prefix="twinhub-owners-", dir="/tmp"))
    made.chmod(0o711)
    places = Places(made, Settings())
    ensure_layout(places)
    yield places
    shutil.rmtree(made)


def as_library(places: Places, script: str) -> subprocess.CompletedProcess[str]:
    account = places.settings.workspace_user_id
    return subprocess.run(
        ["bash", "-c", script],
        cwd=places.files,
        user=account,
        group=account,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "attack",
    ["mv alice aside", "mv -T own alice", "rm -rf alice", "ln -sfnT /etc alice", "chmod 0700 alice", "chmod 0777 ."],
)
def test_the_library_cannot_put_something_else_in_a_secured_folders_place(shared: Places, attack: str) -> None:
    """What the engine mounts is what was looked at, even for whoever took over the library's account."""
    ensure_owner_folder(shared, "alice")
    secure_owner_folder(shared, "alice")
    before = (shared.files / "alice").stat()
    assert as_library(shared, f"mkdir -p own; {attack}").returncode != 0
    now = (shared.files / "alice").lstat()
    assert (now.st_ino, now.st_uid, now.st_mode) == (before.st_ino, 0, before.st_mode)


def test_the_library_still_makes_folders_of_people_and_writes_into_secured_ones(shared: Places) -> None:
    """Files come by the page before a workspace ever starts."""
    assert as_library(shared, "mkdir bob bob/data && mkdir bob/models && rmdir bob/models").returncode == 0
    secure_owner_folder(shared, "bob")
    done = as_library(shared, "echo x >bob/data/x && mkdir bob/new && mv bob/new bob/newer && rm -r bob/newer")
    assert done.returncode == 0, done.stderr


def test_a_link_or_a_file_in_a_folders_place_is_not_taken_over(shared: Places) -> None:
    """Root would hand the machine's own folders to the library."""
    assert as_library(shared, "ln -s /etc mallory; touch mike").returncode == 0
    for name in ("mallory", "mike"):
        with pytest.raises(OSError, match=r"Too many levels|Not a directory"):
            secure_owner_folder(shared, name)
    assert Path("/etc").stat().st_gid == 0
