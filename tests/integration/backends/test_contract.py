"""The contract of libms.backend, sentence by sentence, for every backend: reading, making, placing, moving."""

import os
import time
from collections.abc import Callable

import pytest

from libms.backend import Backend
from libms.errors import AssetNotFound, Changed, Exists, NotAFile, NotAFolder, PathRefused, RefNotFound
from libms.models import EntryType
from libms.paths import AssetPath, parse_path
from tests.integration.backends.worlds import World, unchanged
from twinhub.errors import PublicError
from twinhub.names import Category

CATEGORIES = sorted(Category)
Read = Callable[[Backend, AssetPath, str | None], object]


def open_file(backend: Backend, path: AssetPath, ref: str | None) -> object:
    with backend.file(path, ref) as descriptor:
        return descriptor


READS: dict[str, Read] = {
    "listing": lambda backend, path, ref: backend.listing(path, ref),
    "entries": lambda backend, path, ref: backend.entries(path, ["x"], ref),
    "about": lambda backend, path, ref: backend.about(path, ref),
    "file": open_file,
    "walk": lambda backend, path, ref: list(backend.walk(path, ref)),
}
reads = pytest.mark.parametrize("read", READS.values(), ids=READS)


# --- owners -----------------------------------------------------------------------------


def test_owners_are_named_by_bytes(world: World) -> None:
    """An administrator looks for somebody in the list of all."""
    assert world.backend.owners() == ["alice", "bob", "common"]
    assert list(world.backend.listing(parse_path("")).trees) == ["alice", "bob", "common"]


def test_a_new_owner_has_the_five_categories_and_keeps_them(world: World) -> None:
    """Somebody's first look at their library shows where things go, and a second sign-in removes nothing."""
    assert world.names("alice") == CATEGORIES
    assert all(world.names(f"alice/{category}") == [] for category in CATEGORIES)

    world.place("alice/data/kept.csv")
    world.backend.ensure_owner("alice")

    assert world.names("alice") == CATEGORIES
    assert world.names("alice/data") == ["kept.csv"]


@reads
def test_an_owner_who_does_not_exist_has_nothing(world: World, read: Read) -> None:
    """A typing error in a name gives the same answer as somebody else's folder."""
    with pytest.raises(AssetNotFound, match=r"^ENOENT: no such file or directory"):
        read(world.backend, parse_path("nobody/data"), None)


def test_the_revision_changes_with_every_change(world: World) -> None:
    """The search index goes by it: a change that it misses is never found."""
    backend, path = world.backend, parse_path("alice/data/a.csv")
    seen = [backend.revision("alice")]
    if seen == [None]:
        return  # only a watch of the disk can tell
    world.place("alice/data/a.csv", b"1")
    seen.append(backend.revision("alice"))
    backend.place(world.aside(b"2"), path, "alice", replace=True)
    seen.append(backend.revision("alice"))
    backend.move(path, parse_path("alice/data/b.csv"), "alice")
    seen.append(backend.revision("alice"))
    backend.delete(parse_path("alice/data/b.csv"), "alice")
    seen.append(backend.revision("alice"))

    assert len(set(seen)) == 5
    assert backend.revision("bob") == backend.revision("bob")


@reads
def test_a_version_that_nobody_made_is_refused_by_name(world: World, read: Read) -> None:
    """Somebody who asks for a tag must never be shown the latest state instead."""
    world.seed("alice", {"data/x": b"1"})
    for ref in ("no-such-version", "0" * 40, "--all", "-x", "main:data", "HEAD~1", "a\nb", "", "../main"):
        with pytest.raises(RefNotFound):
            read(world.backend, parse_path("alice/data"), ref)


# --- reading ----------------------------------------------------------------------------


def test_a_listing_has_folders_and_files_each_sorted_by_bytes(world: World) -> None:
    """Clients of other installations rely on the order; JavaScript's own differs beyond the basic plane."""
    files = [".a", "10", "9", "A", "B", "Z", "_z", "a", "b", "é", "\uffee", "\U0001d11e"]
    world.seed("alice", {f"data/{name}": b"1" for name in reversed(files)})
    world.seed("alice", {f"data/{name}-folder/x": b"1" for name in files})

    listing = world.backend.listing(parse_path("alice/data"))

    assert list(listing.blobs) == sorted(files, key=str.encode) == files
    assert list(listing.trees) == [f"{name}-folder" for name in files]


def test_a_listing_says_when_names_come_or_go(world: World) -> None:
    """A page that continues a listing must notice that it is no longer the same one."""
    path = parse_path("alice/data")
    world.place("alice/data/a")
    first = world.backend.listing(path)
    world.place("alice/data/b")
    second = world.backend.listing(path)
    world.backend.delete(parse_path("alice/data/a"), "alice")
    third = world.backend.listing(path)

    assert len({first.revision, second.revision, third.revision}) == 3


@reads
def test_what_is_missing_is_said_in_words_that_clients_know(world: World, read: Read) -> None:
    """Other DTaaS clients look at the start of the message."""
    world.seed("alice", {"data/x": b"1"})
    for path in ("alice/data/missing", "alice/data/missing/deeper", "alice/Data", "alice/data/X"):
        with pytest.raises(AssetNotFound, match=r"^ENOENT: no such file or directory"):
            read(world.backend, parse_path(path), None)


@pytest.mark.parametrize("name", ["listing", "entries", "walk"])
def test_a_file_is_no_folder(world: World, name: str) -> None:
    """The second of the messages that clients know."""
    world.seed("alice", {"data/x": b"1"})
    with pytest.raises(NotAFolder, match=r"^ENOTDIR: not a directory"):
        READS[name](world.backend, parse_path("alice/data/x"), None)


def test_a_folder_is_no_file(world: World) -> None:
    """The third of the messages that clients know."""
    world.seed("alice", {"data/folder/x": b"1"})
    for path in ("alice/data/folder", "alice/data", "alice"):
        with pytest.raises(NotAFile, match=r"^Error reading file"):
            world.read(path)


def test_nothing_is_below_a_file(world: World) -> None:
    """A path that goes through a file is answered, never a fault of the server."""
    world.seed("alice", {"data/x": b"1"})
    for read in READS.values():
        with pytest.raises((AssetNotFound, NotAFolder), match=r"^(ENOENT|ENOTDIR): "):
            read(world.backend, parse_path("alice/data/x/y"), None)


def test_entries_keep_the_order_asked_for_and_leave_out_what_is_gone(world: World) -> None:
    """A page of a large folder is filled from names that were listed a moment ago."""
    world.seed("alice", {"data/a": b"1", "data/b": b"22", "data/folder/x": b"1"})

    found = world.backend.entries(parse_path("alice/data"), ["b", "gone", "folder", "a"])

    assert [(one.name, one.type, one.size) for one in found] == [
        ("b", EntryType.BLOB, 2),
        ("folder", EntryType.TREE, 0),
        ("a", EntryType.BLOB, 1),
    ]
    assert all(abs(one.modified - time.time()) < 60 for one in found)


def test_a_file_and_a_folder_are_described(world: World) -> None:
    """The page shows kind, size and age before anything is read."""
    world.place("alice/data/folder/program", b"12345", executable=True)

    file = world.backend.about(parse_path("alice/data/folder/program"))
    folder = world.backend.about(parse_path("alice/data/folder"))

    assert (file.type, file.size, file.executable) == (EntryType.BLOB, 5, True)
    assert (folder.type, folder.size) == (EntryType.TREE, 0)
    assert abs(file.modified - time.time()) < 60
    assert file.etag[0] == file.etag[-1] == '"'
    assert world.backend.about(parse_path("alice")).type is EntryType.TREE
    assert world.backend.about(parse_path("alice/models")).type is EntryType.TREE


def test_the_etag_changes_with_the_content_only(world: World) -> None:
    """A browser's cache and the editor's protection against overwriting both rest on it."""
    world.place("alice/data/a", b"one")
    world.place("alice/data/other", b"three")
    first = world.etag("alice/data/a")
    world.backend.place(world.aside(b"two"), parse_path("alice/data/other"), "alice", replace=True)
    again = world.etag("alice/data/a")
    world.backend.place(world.aside(b"two"), parse_path("alice/data/a"), "alice", replace=True)

    assert first == again
    assert world.etag("alice/data/a") != first


@pytest.mark.parametrize("size", [0, 1, 4096, 12_000_000])
def test_a_file_is_read_at_any_offset(world: World, size: int) -> None:
    """Downloads with ranges read from the middle, several at once."""
    content = os.urandom(size)
    world.place("alice/data/blob", content)
    path = parse_path("alice/data/blob")

    with world.backend.file(path) as one, world.backend.file(path) as two:
        assert os.fstat(one).st_size == size
        assert os.pread(one, size + 1, 0) == content
        assert os.pread(two, 100, size // 2) == content[size // 2 :][:100]
        assert os.pread(one, 10, size) == b""


def test_a_file_that_is_open_stays_what_it_was(world: World) -> None:
    """A download of an hour must not end with the bytes of a newer version."""
    world.place("alice/data/a", b"old")
    path = parse_path("alice/data/a")

    with world.backend.file(path) as descriptor:
        world.backend.place(world.aside(b"newer"), path, "alice", replace=True)
        assert os.pread(descriptor, 100, 0) == b"old"

    assert world.read("alice/data/a") == b"newer"


def test_a_walk_meets_folders_before_what_is_in_them_by_bytes(world: World) -> None:
    """Zips, copies and manifests are made from walks, and have to come out alike everywhere."""
    world.seed("alice", {f"data/{name}": b"12" for name in ("a/z", "a/b/c", "a.txt", "a-b", "Z", "é/x")})

    found = list(world.backend.walk(parse_path("alice/data")))

    assert [one.path for one in found] == ["Z", "a", "a/b", "a/b/c", "a/z", "a-b", "a.txt", "é", "é/x"]
    assert {one.path for one in found if one.type is EntryType.TREE} == {"a", "a/b", "é"}
    assert {one.size for one in found if one.type is EntryType.BLOB} == {2}
    assert world.walked("alice/data/a/b") == ["c"]


def test_a_walk_tells_programs(world: World) -> None:
    """A copied twin whose phases are no longer executable does not run."""
    world.place("alice/digital_twins/t/lifecycle/execute", b"#!/bin/sh\n", executable=True)
    world.place("alice/digital_twins/t/README.md", b"# t")

    found = {one.path: one.executable for one in world.backend.walk(parse_path("alice/digital_twins/t"))}

    assert found["lifecycle/execute"] is True
    assert found["README.md"] is False


# --- making and placing -----------------------------------------------------------------


def test_a_folder_is_made_with_those_above_it(world: World) -> None:
    """Somebody arranges their library before there is anything in it."""
    world.backend.make_folder(parse_path("alice/models/springs/linear"), "alice")

    assert world.names("alice/models") == ["springs"]
    assert world.names("alice/models/springs") == ["linear"]
    assert world.names("alice/models/springs/linear") == []
    assert world.walked("alice/models") == ["springs", "springs/linear"]
    assert world.backend.about(parse_path("alice/models/springs/linear")).type is EntryType.TREE


def test_a_folder_is_not_made_where_something_stands(world: World) -> None:
    """Two people who make the same folder both learn of it."""
    world.seed("alice", {"data/folder/x": b"1", "data/file": b"1"})
    for path in ("alice/data/folder", "alice/data/file", "alice/data"):
        with pytest.raises(Exists):
            world.backend.make_folder(parse_path(path), "alice")
    with pytest.raises(NotAFolder):
        world.backend.make_folder(parse_path("alice/data/file/below"), "alice")
    assert world.read("alice/data/file") == b"1"


def test_a_file_is_placed_with_the_folders_above_it(world: World) -> None:
    """An upload names where it goes; whoever sends it does not make folders first."""
    aside = world.aside(b"content", executable=True)

    world.backend.place(aside, parse_path("alice/tools/a/b/run"), "alice")

    assert not aside.exists()
    assert world.read("alice/tools/a/b/run") == b"content"
    assert world.backend.about(parse_path("alice/tools/a/b/run")).executable


def test_a_folder_is_placed_whole(world: World) -> None:
    """A copied twin brings its programs and its empty folders."""
    aside = world.aside_folder({"lifecycle/execute": b"#!/bin/sh\n", "README.md": b"# t", "out/": b""})
    (aside / "lifecycle" / "execute").chmod(0o755)

    world.backend.place(aside, parse_path("alice/digital_twins/t"), "alice")

    assert not aside.exists()
    assert world.walked("alice/digital_twins/t") == ["README.md", "lifecycle", "lifecycle/execute", "out"]
    assert world.backend.about(parse_path("alice/digital_twins/t/lifecycle/execute")).executable


def test_nothing_is_overwritten_by_accident(world: World) -> None:
    """The upload of a second results.csv must not cost the first."""
    world.seed("alice", {"data/a": b"first", "data/folder/x": b"1"})
    for path in ("alice/data/a", "alice/data/folder"):
        aside = world.aside(b"second")
        with unchanged(aside), pytest.raises(Exists):
            world.backend.place(aside, parse_path(path), "alice")
        folder = world.aside_folder({"y": b"2"})
        with unchanged(folder / "y"), pytest.raises(Exists):
            world.backend.place(folder, parse_path(path), "alice")

    assert world.read("alice/data/a") == b"first"
    assert world.walked("alice/data/folder") == ["x"]


def test_with_replace_a_file_takes_a_files_place_and_never_a_folders(world: World) -> None:
    """Saving under the name of a folder would delete all that is in it."""
    world.seed("alice", {"data/a": b"first", "data/folder/x": b"1"})

    world.backend.place(world.aside(b"second"), parse_path("alice/data/a"), "alice", replace=True)
    world.backend.place(world.aside(b"fresh"), parse_path("alice/data/fresh"), "alice", replace=True)
    aside = world.aside(b"second")
    with unchanged(aside), pytest.raises(PublicError):
        world.backend.place(aside, parse_path("alice/data/folder"), "alice", replace=True)
    folder = world.aside_folder({"y": b"2"})
    with unchanged(folder / "y"), pytest.raises(Exists):
        world.backend.place(folder, parse_path("alice/data/a"), "alice", replace=True)

    assert (world.read("alice/data/a"), world.read("alice/data/fresh")) == (b"second", b"fresh")
    assert world.read("alice/data/folder/x") == b"1"


def test_a_file_that_somebody_else_changed_is_not_replaced(world: World) -> None:
    """Two people edit the same text; whoever saves last must not win silently."""
    world.seed("alice", {"data/a": b"first"})
    path, etag = parse_path("alice/data/a"), world.etag("alice/data/a")

    world.backend.place(world.aside(b"second"), path, "alice", if_match=etag)
    aside = world.aside(b"third")
    with unchanged(aside), pytest.raises(Changed):
        world.backend.place(aside, path, "bob", if_match=etag)
    with unchanged(aside), pytest.raises(Changed):
        world.backend.place(aside, parse_path("alice/data/gone"), "bob", if_match=etag)

    assert world.read("alice/data/a") == b"second"
    assert world.names("alice/data") == ["a"]


def test_a_change_that_somebody_else_pushed_counts_too(world: World) -> None:
    """What was changed past the library is as dear as what was changed through it."""
    world.seed("alice", {"data/a": b"first"})
    etag = world.etag("alice/data/a")
    world.put("alice", {"data/a": b"from elsewhere", "data/new": b"from elsewhere"})

    with pytest.raises(Changed):
        world.backend.place(world.aside(), parse_path("alice/data/a"), "alice", if_match=etag)
    with pytest.raises(Exists):
        world.place("alice/data/new")
    assert world.read("alice/data/a") == b"from elsewhere"


# --- moving -----------------------------------------------------------------------------


def test_files_and_folders_are_renamed_and_moved(world: World) -> None:
    """Tidying up: content, programs and empty folders come along, and nothing is left at the old place."""
    world.place("alice/data/old/run", b"#!/bin/sh\n", executable=True)
    world.backend.make_folder(parse_path("alice/data/old/empty"), "alice")

    world.backend.move(parse_path("alice/data/old"), parse_path("alice/tools/deep/new"), "alice")
    world.backend.move(parse_path("alice/tools/deep/new/run"), parse_path("alice/tools/deep/new/go"), "alice")

    assert world.names("alice/data") == []
    assert world.walked("alice/tools") == ["deep", "deep/new", "deep/new/empty", "deep/new/go"]
    assert world.backend.about(parse_path("alice/tools/deep/new/go")).executable


def test_something_is_moved_to_another_owner(world: World) -> None:
    """Handing a model over to everybody."""
    world.place("alice/models/m/a.fmu", b"model", executable=True)
    world.place("alice/models/m/sub/b", b"b")

    world.backend.move(parse_path("alice/models/m"), parse_path("common/models/shared/m"), "alice")

    assert world.names("alice/models") == []
    assert world.walked("common/models/shared") == ["m", "m/a.fmu", "m/sub", "m/sub/b"]
    assert world.read("common/models/shared/m/a.fmu") == b"model"
    assert world.backend.about(parse_path("common/models/shared/m/a.fmu")).executable


def test_a_move_to_a_taken_name_changes_nothing(world: World) -> None:
    """A name typed twice must not cost the file that has it."""
    world.seed("alice", {"data/a": b"a", "data/b": b"b", "data/folder/x": b"x"})
    world.seed("bob", {"data/b": b"bob's"})
    for target in ("alice/data/b", "alice/data/folder", "bob/data/b"):
        with pytest.raises(Exists):
            world.backend.move(parse_path("alice/data/a"), parse_path(target), "alice")

    assert world.walked("alice/data") == ["a", "b", "folder", "folder/x"]
    assert (world.read("alice/data/b"), world.read("bob/data/b")) == (b"b", b"bob's")


def test_what_is_missing_cannot_be_moved(world: World) -> None:
    """Somebody else deleted it a moment ago; no folder is left at the target either."""
    for target in ("alice/data/there", "bob/data/there"):
        with pytest.raises(AssetNotFound):
            world.backend.move(parse_path("alice/data/missing"), parse_path(target), "alice")
    assert world.names("alice/data") == world.names("bob/data") == []


def test_nothing_is_moved_into_itself(world: World) -> None:
    """On some systems such a move makes a folder vanish."""
    world.seed("alice", {"data/folder/x": b"1"})
    for target in ("alice/data/folder", "alice/data/folder/deeper", "alice/data/folder/x/y"):
        with pytest.raises(PathRefused):
            world.backend.move(parse_path("alice/data/folder"), parse_path(target), "alice")
    assert world.walked("alice/data") == ["folder", "folder/x"]


def test_a_folder_stays_when_its_last_file_goes(world: World) -> None:
    """Deleting or moving one thing never removes another."""
    world.place("alice/data/folder/a")
    world.place("alice/data/other/b")

    world.backend.move(parse_path("alice/data/folder/a"), parse_path("alice/data/a"), "alice")
    world.backend.delete(parse_path("alice/data/other/b"), "alice")

    assert world.names("alice/data") == ["folder", "other", "a"]


@pytest.mark.parametrize("path", ["alice", "alice/data", "alice/digital_twins", "common/models", "bob"])
def test_the_layout_that_every_owner_has_stays(world: World, path: str) -> None:
    """Without `models` a person's library is broken for them and for every client."""
    fixed, backend = parse_path(path), world.backend
    world.seed("alice", {"data/x": b"1"})
    aside = world.aside()

    with pytest.raises(PathRefused):
        backend.delete(fixed, "alice")
    with pytest.raises(PathRefused):
        backend.move(fixed, parse_path("alice/data/y"), "alice")
    with pytest.raises(PathRefused):
        backend.move(parse_path("alice/data/x"), fixed, "alice")
    with unchanged(aside), pytest.raises(PathRefused):
        backend.place(aside, fixed, "alice", replace=True)
    assert world.walked("alice/data") == ["x"]
