"""Owners' folders are made whole and never through an owner's links."""

from pathlib import Path

import pytest

from twinhub.names import Category
from twinhub.owners import ensure_owner_folder
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
