"""The contract of libms.backend for every backend: deleting and bringing back."""

import re
import time

import pytest

from libms.errors import AssetNotFound, Exists, NoSuchTrash, PathRefused
from libms.paths import parse_path
from tests.integration.backends.worlds import World

ABSENT = ["676974000000000000000000", "0" * 24, "", "..", "../../etc/passwd", "a" * 24 + "\n", "A" * 24, "é" * 24]


def test_a_deleted_file_comes_back_as_it_was(world: World) -> None:
    """Somebody clicks on the wrong line."""
    world.place("alice/tools/run", b"#!/bin/sh\n", executable=True)

    trashed = world.backend.delete(parse_path("alice/tools/run"), "alice")

    assert world.names("alice/tools") == []
    with pytest.raises(AssetNotFound):
        world.read("alice/tools/run")
    assert str(world.backend.restore(trashed.id, "alice")) == "alice/tools/run"
    assert world.read("alice/tools/run") == b"#!/bin/sh\n"
    assert world.backend.about(parse_path("alice/tools/run")).executable


def test_a_deleted_folder_comes_back_whole(world: World) -> None:
    """A twin has programs, empty folders and more than one level."""
    files = {"lifecycle/execute": b"#!/bin/sh\n", "README.md": b"# t", "out/": b""}
    world.backend.place(world.aside_folder(files), parse_path("alice/digital_twins/t"), "alice")
    before = [(one.path, one.size, one.executable) for one in world.backend.walk(parse_path("alice/digital_twins"))]

    trashed = world.backend.delete(parse_path("alice/digital_twins/t"), "alice")
    assert world.walked("alice/digital_twins") == []
    world.backend.restore(trashed.id, "alice")

    after = [(one.path, one.size, one.executable) for one in world.backend.walk(parse_path("alice/digital_twins"))]
    assert after == before
    assert world.read("alice/digital_twins/t/README.md") == b"# t"


def test_the_trash_says_what_when_and_by_whom(world: World) -> None:
    """An owner finds out that an administrator cleaned up, and until when it can be undone."""
    world.place("alice/data/folder/a", b"12345")
    world.place("alice/data/folder/sub/b", b"67")

    trashed = world.backend.delete(parse_path("alice/data/folder"), "root-admin")

    assert re.fullmatch(r"[0-9a-f]{24}", trashed.id)
    assert (str(trashed.path), trashed.by, trashed.size) == ("alice/data/folder", "root-admin", 7)
    assert abs(trashed.time - time.time()) < 60
    assert trashed.expires - trashed.time == pytest.approx(30 * 86_400)
    assert world.backend.trashed(trashed.id) == trashed
    assert world.backend.trash("alice") == [trashed]


def test_the_trash_lists_an_owners_own_things_latest_first(world: World) -> None:
    """What was deleted a moment ago is what is looked for; other people's things are nobody's business."""
    for path in ("alice/data/a", "bob/data/b", "alice/data/c"):
        world.place(path)
        world.backend.delete(parse_path(path), "alice")

    assert [str(one.path) for one in world.backend.trash("alice")] == ["alice/data/c", "alice/data/a"]
    assert [str(one.path) for one in world.backend.trash("bob")] == ["bob/data/b"]
    assert world.backend.trash("common") == world.backend.trash("nobody") == []


def test_a_name_can_be_deleted_and_used_again_and_each_comes_back(world: World) -> None:
    """The trash holds every version under a name, not only the last."""
    ids = []
    for content in (b"first", b"second"):
        world.place("alice/data/a", content)
        ids.append(world.backend.delete(parse_path("alice/data/a"), "alice").id)

    world.backend.restore(ids[0], "alice")

    assert world.read("alice/data/a") == b"first"
    assert [one.id for one in world.backend.trash("alice")] == [ids[1]]


def test_nothing_new_is_overwritten_by_bringing_something_back(world: World) -> None:
    """What stands there now may be worth more; the trash keeps the other."""
    world.place("alice/data/a", b"old")
    trashed = world.backend.delete(parse_path("alice/data/a"), "alice")
    world.place("alice/data/a", b"new")

    with pytest.raises(Exists):
        world.backend.restore(trashed.id, "alice")

    assert world.read("alice/data/a") == b"new"
    assert world.backend.trash("alice") == [trashed]


def test_something_comes_back_though_its_folder_went_too(world: World) -> None:
    """First the file was deleted, then the folder it was in."""
    world.place("alice/data/folder/sub/a", b"content")
    trashed = world.backend.delete(parse_path("alice/data/folder/sub/a"), "alice")
    world.backend.delete(parse_path("alice/data/folder"), "alice")

    world.backend.restore(trashed.id, "alice")

    assert world.read("alice/data/folder/sub/a") == b"content"


def test_what_is_not_there_cannot_be_deleted(world: World) -> None:
    """Two people delete the same thing: the second learns that it is gone."""
    world.place("alice/data/a")
    world.backend.delete(parse_path("alice/data/a"), "alice")

    for path in ("alice/data/a", "alice/data/a/below", "nobody/data/a"):
        with pytest.raises(AssetNotFound):
            world.backend.delete(parse_path(path), "alice")
    with pytest.raises(PathRefused):
        world.backend.delete(parse_path(""), "alice")
    assert len(world.backend.trash("alice")) == 1


def test_what_is_erased_or_back_is_no_longer_in_the_trash(world: World) -> None:
    """Emptying the trash is for good, and an old page with its buttons does no harm."""
    for path in ("alice/data/erased", "alice/data/restored"):
        world.place(path)
    erased = world.backend.delete(parse_path("alice/data/erased"), "alice").id
    restored = world.backend.delete(parse_path("alice/data/restored"), "alice").id
    world.backend.erase(erased)
    world.backend.restore(restored, "alice")

    for trash_id in (erased, restored):
        with pytest.raises(NoSuchTrash):
            world.backend.trashed(trash_id)
        with pytest.raises(NoSuchTrash):
            world.backend.restore(trash_id, "alice")
        with pytest.raises(NoSuchTrash):
            world.backend.erase(trash_id)
    assert world.backend.trash("alice") == []


@pytest.mark.parametrize("trash_id", ABSENT, ids=ascii)
def test_an_id_that_nobody_gave_out_finds_nothing(world: World, trash_id: str) -> None:
    """The id comes from a request, so it may be a path."""
    world.place("alice/data/a")
    kept = world.backend.delete(parse_path("alice/data/a"), "alice")
    for ask in (
        lambda: world.backend.trashed(trash_id),
        lambda: world.backend.restore(trash_id, "alice"),
        lambda: world.backend.erase(trash_id),
    ):
        with pytest.raises(NoSuchTrash):
            ask()
    assert world.backend.trash("alice") == [kept]


def test_what_has_time_left_is_not_purged(world: World) -> None:
    """The nightly tidying must not take what the page promises for 30 days."""
    world.place("alice/data/a", b"kept")
    trashed = world.backend.delete(parse_path("alice/data/a"), "alice")

    assert world.backend.purge() == 0
    world.backend.restore(trashed.id, "alice")
    assert world.read("alice/data/a") == b"kept"
