"""Folders a thousand levels deep, which people can make, stop nothing that deletes."""

import os
import time
from pathlib import Path

import pytest

from hub.accounts import AccountError
from twinhub.homes import delete_expired_homes
from twinhub.operate import accounts
from twinhub.operate.install import KEPT, remove_files
from twinhub.places import Places
from twinhub.settings import Settings


@pytest.fixture
def places(tmp_path: Path) -> Places:
    found = Places(tmp_path / "data", Settings())
    found.homes.mkdir(parents=True)
    return found


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names that the hub was asked to free; it knows one removed account, ada."""
    names: list[str] = []

    def act(_: Places, action: str, **values: str) -> tuple[str, str]:
        names.append(f"{action} {values['username']}")
        return "free", ""

    monkeypatch.setattr(accounts, "list_everything", lambda _: {"removed": [{"name": "ada"}]})
    monkeypatch.setattr(accounts, "act", act)
    return names


def make_deep(folder: Path, levels: int = 1_500) -> None:
    """Make folders below each other, deeper than a path can say."""
    folder.mkdir(parents=True)
    current = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d", dir_fd=current)
        following = os.open("d", os.O_RDONLY, dir_fd=current)
        os.close(current)
        current = following
    os.close(current)


def test_an_expired_home_of_any_depth_is_deleted(places: Places) -> None:
    """Otherwise upkeep ended at once after each start, and with it the care of certificate and firewall."""
    old = places.homes / f".removed-{int(time.time()) - 31 * 86_400}-ada.SERVER.old"
    make_deep(old)
    assert delete_expired_homes(places) == [old.name]
    assert list(places.homes.iterdir()) == []


def test_a_purge_deletes_every_home_of_any_depth(places: Places, forgotten: list[str]) -> None:
    """The next person of that name must find nothing of the one before."""
    for home in ("ada", "ada.SERVER.big", ".removed-1700000000-ada.SERVER.old"):
        make_deep(places.homes / home)
    (places.homes / "bob").mkdir()
    make_deep(places.files / "ada")
    assert accounts.purge(places, "ada") == "free"
    assert [home.name for home in places.homes.iterdir()] == ["bob"]
    assert not (places.files / "ada").exists()
    assert forgotten == ["forget ada"]


def test_a_name_stays_taken_while_files_of_its_owner_stay(
    places: Places, forgotten: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as a folder in which another disk is mounted."""
    monkeypatch.setattr(accounts, "remove_tree", lambda folder: folder.parent != places.files)
    with pytest.raises(AccountError, match="stays taken"):
        accounts.purge(places, "ada")
    assert forgotten == []


def test_uninstalling_deletes_folders_of_any_depth(places: Places) -> None:
    """Half an installation is worse than none."""
    assert "files" in KEPT
    make_deep(places.files / "ada")
    remove_files(places, purge=False)  # which keeps what people made
    assert (places.files / "ada/d").exists()
    remove_files(places, purge=True)
    assert not places.data_dir.exists()
