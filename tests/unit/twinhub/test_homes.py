"""Homes of named workspaces: removed is put aside, and comes back."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinhub.homes import delete_expired_homes, ensure_home, list_homes, put_home_aside
from twinhub.names import SERVER_PATTERN, USERNAME_PATTERN, container_name, workspace_name
from twinhub.places import Places
from twinhub.settings import Settings

owners = st.from_regex(USERNAME_PATTERN, fullmatch=True)
servers = st.just("") | st.from_regex(SERVER_PATTERN, fullmatch=True)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "homes").mkdir()
    return Places(tmp_path, Settings())


@given(owners, servers, owners, servers)
def test_no_two_workspaces_share_a_container_or_a_home(one: str, first: str, other: str, second: str) -> None:
    """CVE-2020-15110: two names that met were one person in the other's container."""
    same = (one, first) == (other, second)
    assert (workspace_name(one, first) == workspace_name(other, second)) is same
    assert (container_name("tw", one, first) == container_name("tw", other, second)) is same


def test_names_that_look_alike_stay_apart() -> None:
    """The hostile ones: separators and what looks like them."""
    pairs = [
        ("a-b", ""),
        ("a", "b"),
        ("a.server.b", ""),
        ("a-server-b", ""),
        ("a.b", ""),
        ("a_b", ""),
        ("ab", ""),
        ("a", "server-b"),
    ]
    assert len({container_name("tw", *pair) for pair in pairs}) == len(pairs)


def test_a_removed_home_comes_back_with_the_name(places: Places) -> None:
    """What destroys can be undone."""
    ensure_home(places, "ada", "big")
    (places.homes / "ada.SERVER.big/notes").write_text("weeks of work")
    put_home_aside(places, "ada", "big")
    assert not (places.homes / "ada.SERVER.big").exists()
    assert ensure_home(places, "ada", "big")
    assert (places.homes / "ada.SERVER.big/notes").read_text() == "weeks of work"
    assert not ensure_home(places, "ada", "big")


def test_one_home_put_aside_is_not_anothers(places: Places) -> None:
    """Neither a person's own home nor somebody else's comes out of the trash."""
    ensure_home(places, "ada", "big")
    put_home_aside(places, "ada", "big")
    assert not ensure_home(places, "ada")
    assert not ensure_home(places, "bob", "big")
    assert not ensure_home(places, "ada", "bigger")
    put_home_aside(places, "bob", "never-was")


def test_homes_put_aside_are_deleted_when_the_trash_is(places: Places) -> None:
    """The disk is finite; the days are those of the library's trash, and homes in use are never touched."""
    ensure_home(places, "ada")
    old = places.homes / f".removed-{int(time.time()) - 31 * 86_400}-ada.SERVER.old"
    old.mkdir()
    ensure_home(places, "ada", "new")
    put_home_aside(places, "ada", "new")
    assert delete_expired_homes(places) == [old.name]
    assert len(list(places.homes.iterdir())) == 2


def test_everything_of_one_person_is_found_and_nothing_of_others(places: Places) -> None:
    """What a purge leaves behind would be the home of the next person who gets the name."""
    for server in ("", "big", "old"):
        ensure_home(places, "ada", server)
    put_home_aside(places, "ada", "old")
    for other in ("ada-b", "ada.b", "bob"):
        ensure_home(places, other)
        ensure_home(places, other, "old")
        put_home_aside(places, other, "old")
    found = [home.name for home in list_homes(places, "ada")]
    assert found[0].endswith("-ada.SERVER.old")
    assert found[1:] == ["ada", "ada.SERVER.big"]
    assert list_homes(Places(places.data_dir / "elsewhere", Settings()), "ada") == []
