"""What only the git backend does, against real repositories behind `git http-backend`."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from libms.errors import AssetNotFound, NoSuchTrash, NotAFile, PathRefused, RefNotFound
from libms.git import GitBackend
from libms.git.blobs import Blobs
from libms.models import EntryType, Ref
from libms.paths import parse_path
from tests.integration.backends.git_world import SOMEBODY, GitWorld, git_world, open_platform, push_files
from tests.support.git_http import git
from twinhub.errors import PublicError


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GitWorld]:
    """A platform, and a server that asks for a password."""
    with git_world(tmp_path) as made:
        yield made


def place(backend: GitBackend, path: str, content: bytes, by: str = "alice") -> None:
    aside = backend.staging / f"aside-{threading.get_ident()}-{time.monotonic_ns()}"
    aside.write_bytes(content)
    backend.place(aside, parse_path(path), by)


def read(backend: GitBackend, path: str, ref: str | None = None) -> bytes:
    with backend.file(parse_path(path), ref) as descriptor:
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


def until(happened: Callable[[], bool], within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def clone_of(world: GitWorld, owner: str = "alice") -> Path:
    """Give somebody's own clone, made fresh."""
    clone = world.folder / f"clone-{time.monotonic_ns()}"
    git("clone", "--quiet", world.server.url(owner, signed_in=True), clone)
    git("-C", clone, "config", "user.name", "Somebody")
    git("-C", clone, "config", "user.email", "somebody@example.org")
    return clone


# --- commits ----------------------------------------------------------------------------


def test_a_change_is_a_commit_in_the_users_name(world: GitWorld) -> None:
    """People who look at the repository see who did what; the platform only carried it."""
    place(world.backend, "alice/data/two\nlines", b"1", by="marie.curie")

    log = git("-C", world.server.path("alice"), "log", "--format=%an|%ae|%cn|%s|%P", "main")

    assert log == ("marie.curie|marie.curie@users.noreply.twinhub|Twinhub|Store alice/data/two\ufffdlines|")


def test_a_hostile_account_name_stays_a_name(world: GitWorld) -> None:
    """What an identity provider gives as a name must not write lines of its own into a commit."""
    place(world.backend, "alice/data/a", b"1", by="x <y@z> 0 +0000\ncommitter Root")

    assert git("-C", world.server.path("alice"), "log", "--format=%an|%cn") == (
        "x__y@z__0_+0000_committer_Root|Twinhub"
    )
    git("-C", world.server.path("alice"), "fsck", "--strict")


def test_two_platforms_and_a_person_lose_no_commit(world: GitWorld, tmp_path: Path) -> None:
    """Two installations and somebody with a clone work on one repository at the same time."""
    each = 8
    second = open_platform(tmp_path / "second", world.server)
    push_files(world.server, tmp_path / "start", "alice", {"README.md": b"start"})
    clone = clone_of(world)

    def by_platform(backend: GitBackend, name: str) -> None:
        for number in range(each):
            place(backend, f"alice/data/{name}-{number}", name.encode(), by=name)

    def by_hand() -> None:
        for number in range(each):
            (clone / f"by-hand-{number}").write_text("x")
            git("-C", clone, "add", "--all")
            git("-C", clone, "commit", "--quiet", "--message", f"by hand {number}")
            while "rejected" in git("-C", clone, "push", "--quiet", "origin", "HEAD:main", check=False):
                git("-C", clone, "pull", "--quiet", "--no-rebase", "--no-edit", "origin", "main")

    with ThreadPoolExecutor(3) as people:
        work = [
            people.submit(by_platform, world.backend, "first"),
            people.submit(by_platform, second, "second"),
            people.submit(by_hand),
        ]
        [one.result() for one in work]
    second.close()

    server = world.server.path("alice")
    files = set(git("-C", server, "ls-tree", "-r", "--name-only", "main").split("\n"))
    wanted = {f"data/{name}-{number}" for name in ("first", "second") for number in range(each)}
    assert files == wanted | {f"by-hand-{number}" for number in range(each)} | {"README.md"}
    authors = git("-C", server, "log", "--no-merges", "--format=%an", "main").split("\n")
    assert {name: authors.count(name) for name in set(authors)} == {"first": each, "second": each, "Somebody": each + 1}
    git("-C", server, "fsck", "--strict")


def test_what_is_already_so_makes_no_commit(world: GitWorld) -> None:
    """Saving a text without a change leaves no trace in the history."""
    place(world.backend, "alice/data/a", b"same")
    aside = world.backend.staging / "again"
    aside.write_bytes(b"same")

    world.backend.place(aside, parse_path("alice/data/a"), "alice", replace=True)

    assert git("-C", world.server.path("alice"), "rev-list", "--count", "main") == "1"
    assert not aside.exists()


def test_what_others_pushed_shows_up_by_itself(world: GitWorld) -> None:
    """Nobody presses a button to see what a colleague pushed."""
    world.put("alice", {"data/a": b"1"})
    assert list(world.backend.listing(parse_path("alice/data")).blobs) == ["a"]
    before = world.backend.revision("alice")

    world.put("alice", {"data/b": b"2"})

    until(lambda: world.backend.revision("alice") != before)
    assert list(world.backend.listing(parse_path("alice/data")).blobs) == ["a", "b"]


def test_a_files_time_is_that_of_its_last_change(world: GitWorld) -> None:
    """Sorting by age is useless when every push makes all files new."""
    clone = world.folder / "dated"
    git("clone", "--quiet", world.server.url("alice", signed_in=True), clone)
    git("-C", clone, "checkout", "--quiet", "-B", "main")
    for day, name in ((1, "old/a"), (2, "new/b"), (3, "old/c")):
        file = clone / "data" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
        date = f"2020-01-0{day}T00:00:00+00:00"
        git("-C", clone, "add", "--all")
        git("-C", clone, "commit", "--quiet", "-m", name, **{**SOMEBODY, "GIT_COMMITTER_DATE": date})
    git("-C", clone, "push", "--quiet", "origin", "main")

    times = {found.path: found.modified for found in world.backend.walk(parse_path("alice/data"))}
    place(world.backend, "alice/data/new/d", b"now")
    later = {found.path: found.modified for found in world.backend.walk(parse_path("alice/data"))}

    day = 86_400.0
    start = times["old/a"]
    assert times == {
        "old": start + 2 * day,
        "old/a": start,
        "old/c": start + 2 * day,
        "new": start + day,
        "new/b": start + day,
    }
    assert {name: later[name] for name in ("old", "old/a", "old/c", "new/b")} == {
        name: times[name] for name in ("old", "old/a", "old/c", "new/b")
    }
    assert abs(later["new/d"] - time.time()) < 60
    assert later["new"] == later["new/d"]


# --- versions ---------------------------------------------------------------------------


def test_branches_tags_and_commits_are_read_by_name(world: GitWorld) -> None:
    """A result is only reproducible when the model of last spring can still be read."""
    first = push_files(world.server, world.folder / "c", "alice", {"models/a": b"first", "models/only-first": b"1"})
    clone = clone_of(world)
    git("-C", clone, "tag", "v1")
    git("-C", clone, "tag", "--annotate", "--message=released", "v1-released")
    git("-C", clone, "tag", "not-a-commit", "HEAD:models/a")
    git("-C", clone, "checkout", "--quiet", "-b", "feature/x")
    (clone / "models" / "a").write_bytes(b"on the branch")
    git("-C", clone, "commit", "--quiet", "--all", "--message=branch")
    (clone / "models" / "only-first").unlink()
    git("-C", clone, "push", "--quiet", "origin", "feature/x", "--tags")
    aside = world.backend.staging / "aside"
    aside.write_bytes(b"second")
    world.backend.place(aside, parse_path("alice/models/a"), "alice", replace=True)

    assert read(world.backend, "alice/models/a") == b"second"
    for ref in ("v1", "v1-released", first, first[:10]):
        assert read(world.backend, "alice/models/a", ref) == b"first"
        assert world.backend.about(parse_path("alice/models/a"), ref).size == 5
    assert read(world.backend, "alice/models/a", "feature/x") == b"on the branch"
    assert list(world.backend.listing(parse_path("alice"), "v1").trees) == sorted(
        ["data", "digital_twins", "functions", "models", "tools"]
    )
    assert world.backend.refs("alice") == [
        Ref("feature/x", "branch"),
        Ref("main", "branch"),
        Ref("not-a-commit", "tag"),
        Ref("v1", "tag"),
        Ref("v1-released", "tag"),
    ]
    with pytest.raises(RefNotFound):
        world.backend.listing(parse_path("alice"), "not-a-commit")


def test_a_branch_that_went_is_no_longer_named(world: GitWorld) -> None:
    """A name that points at nothing would answer with something old for ever."""
    push_files(world.server, world.folder / "c", "alice", {"data/a": b"1"})
    clone = clone_of(world)
    git("-C", clone, "push", "--quiet", "origin", "HEAD:a", "HEAD:refs/tags/t")
    until(lambda: len(world.backend.refs("alice")) == 3)

    git("-C", clone, "push", "--quiet", "origin", ":a", ":refs/tags/t", "HEAD:a/b")

    until(lambda: world.backend.refs("alice") == [Ref("a/b", "branch"), Ref("main", "branch")])


# --- what repositories hold that disks do not ---------------------------------------------


def test_links_and_submodules_are_listed_and_never_followed(world: GitWorld) -> None:
    """A link pushed by somebody must not read the platform's own files."""
    push_files(world.server, world.folder / "c", "alice", {"data/real/x": b"1"})
    clone = clone_of(world)
    for name, target in {"out": "/etc/passwd", "up": "../../../..", "in": "real/x", "folder": "real"}.items():
        (clone / "data" / name).symlink_to(target)
    git("-C", clone, "add", "--all")
    git(
        "-C",
        clone,
        "update-index",
        "--add",
        "--cacheinfo",
        f"160000,{git('-C', clone, 'rev-parse', 'HEAD')},data/module",
    )
    git("-C", clone, "commit", "--quiet", "--message=links")
    git("-C", clone, "push", "--quiet", "origin", "HEAD:main")
    backend, links = world.backend, ["folder", "in", "module", "out", "up"]

    listing = backend.listing(parse_path("alice/data"))
    assert (list(listing.trees), list(listing.blobs)) == (["real"], links)
    assert [one.type for one in backend.entries(parse_path("alice/data"), links)] == [EntryType.BLOB] * 5
    assert [found.path for found in backend.walk(parse_path("alice/data"))] == ["real", "real/x"]
    for name in links:
        with pytest.raises((AssetNotFound, NotAFile)):
            read(backend, f"alice/data/{name}")
        with pytest.raises(AssetNotFound):
            read(backend, f"alice/data/{name}/x")
        with pytest.raises(PublicError):
            place(backend, f"alice/data/{name}/y", b"1")
        trashed = backend.delete(parse_path(f"alice/data/{name}"), "alice")
        backend.restore(trashed.id, "alice")
    assert list(backend.listing(parse_path("alice/data")).blobs) == links


def test_a_name_that_is_not_utf8_is_shown_and_harms_nothing(world: GitWorld) -> None:
    """One file from an old Windows share must not break the folder it is in."""
    clone = clone_of(world)
    git("-C", clone, "checkout", "--quiet", "-B", "main")
    (clone / "data").mkdir()
    Path(os.fsdecode(os.fsencode(clone) + b"/data/gr\xfc\xdfe.txt")).write_bytes(b"1234")
    (clone / "data" / "a").write_text("1")
    git("-C", clone, "add", "--all")
    git("-C", clone, "commit", "--quiet", "--message=latin 1")
    git("-C", clone, "push", "--quiet", "origin", "main")

    assert list(world.backend.listing(parse_path("alice/data")).blobs) == ["a", "gr\ufffd\ufffde.txt"]
    [entry] = world.backend.entries(parse_path("alice/data"), ["gr\ufffd\ufffde.txt"])
    assert entry.size == 4
    place(world.backend, "alice/data/b", b"2")
    assert "gr\\374\\337e.txt" in git("-C", world.server.path("alice"), "ls-tree", "-r", "--name-only", "main")


def test_names_that_lead_elsewhere_are_left_out(world: GitWorld) -> None:
    """A server that checks nothing takes trees that no git would make."""
    server = world.server.path("alice")
    blob = git("-C", server, "hash-object", "-w", "--stdin")
    raw = b"".join(b"100644 %s\0" % name + bytes.fromhex(blob) for name in (b"..", b".git", b"a"))
    (world.folder / "raw").write_bytes(raw)
    inner = git("-C", server, "hash-object", "-w", "-t", "tree", "--literally", world.folder / "raw")
    (world.folder / "outer").write_bytes(b"40000 data\0" + bytes.fromhex(inner))
    outer = git("-C", server, "hash-object", "-w", "-t", "tree", "--literally", world.folder / "outer")
    git("-C", server, "update-ref", "refs/heads/main", git("-C", server, "commit-tree", outer, "-m", "x", **SOMEBODY))

    assert list(world.backend.listing(parse_path("alice/data")).blobs) == ["a"]
    assert [found.path for found in world.backend.walk(parse_path("alice/data"))] == ["a"]


GITS_OWN = (".git", ".GIT", ".Git", "git~1", "GIT~1", ".git ", ".git.", ".git . .", ".git::$INDEX_ALLOCATION", ".g\u200cit",
            "\ufeff.git", "a\\.git", ".git\\x", ".git\\")  # fmt: skip


@pytest.mark.parametrize("name", GITS_OWN, ids=ascii)
def test_names_that_some_system_takes_for_gits_own_are_refused(world: GitWorld, name: str) -> None:
    """A file `.GIT/config` runs programs on the machine of whoever clones it onto macOS or Windows."""
    backend = world.backend
    folder = backend.staging / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / name).write_text("x")
    for act in (
        lambda: place(backend, f"alice/data/{name}", b"1"),
        lambda: place(backend, f"alice/data/{name}/config", b"1"),
        lambda: backend.make_folder(parse_path(f"alice/data/{name}"), "alice"),
        lambda: backend.move(parse_path("alice/data/a"), parse_path(f"alice/data/{name}"), "alice"),
        lambda: backend.place(folder, parse_path("alice/data/folder"), "alice"),
    ):
        with pytest.raises(PathRefused):
            act()
    assert world.backend.revision("alice") == "empty"
    assert (folder / "sub" / name).exists()


def test_a_link_in_a_prepared_folder_is_refused(world: GitWorld) -> None:
    """Nothing that leads elsewhere enters a repository that people clone."""
    folder = world.backend.staging / "folder"
    folder.mkdir()
    (folder / "link").symlink_to("/etc/passwd")

    with pytest.raises(PathRefused):
        world.backend.place(folder, parse_path("alice/data/folder"), "alice")
    assert (folder / "link").is_symlink()


# --- large files ------------------------------------------------------------------------


def test_a_large_file_is_stored_read_and_kept_unpacked(world: GitWorld, tmp_path: Path) -> None:
    """A video of a rig is read in ranges, and unpacking it for every range would take minutes."""
    content = os.urandom(1 << 20) * 40
    place(world.backend, "alice/data/video", content)
    path = parse_path("alice/data/video")

    with world.backend.file(path) as first, world.backend.file(path) as second:
        assert os.pread(first, 100, 30 << 20) == content[30 << 20 :][:100]
        assert os.fstat(first).st_ino == os.fstat(second).st_ino
        assert os.fstat(second).st_size == len(content)

    platform = open_platform(tmp_path / "second", world.server)
    assert read(platform, "alice/data/video") == content
    platform.close()


def test_unpacked_files_make_room_for_each_other(world: GitWorld, tmp_path: Path) -> None:
    """The disk must not fill up with copies of what is in the repository anyway."""
    contents = [os.urandom(5 << 20) for _ in range(3)]
    for number, content in enumerate(contents):
        place(world.backend, f"alice/data/{number}", content)
    blobs = Blobs(tmp_path / "blobs", kept_bytes=11 << 20)
    with world.backend._mirrors.view(parse_path("alice")) as view:
        for number, content in enumerate(contents):
            item, size = view.file(parse_path(f"alice/data/{number}"))
            descriptor = blobs.open(view.mirror.objects, item.id, size)
            assert os.pread(descriptor, size, 0) == content
            os.close(descriptor)

    assert len(list((tmp_path / "blobs").iterdir())) == 2


# --- the trash --------------------------------------------------------------------------


def test_what_was_deleted_survives_a_rewritten_history(world: GitWorld) -> None:
    """Somebody pushes with force; the trash's promise of 30 days still holds."""
    world.put("alice", {"data/a": b"1"})
    trashed = world.backend.delete(parse_path("alice/data/a"), "alice")
    clone = clone_of(world)
    git("-C", clone, "commit", "--quiet", "--amend", "--allow-empty", "--message=rewritten")
    git("-C", clone, "checkout", "--quiet", "--orphan", "fresh")
    git("-C", clone, "commit", "--quiet", "--allow-empty", "--message=fresh")
    git("-C", clone, "push", "--quiet", "--force", "origin", "HEAD:main")
    git("-C", world.server.path("alice"), "gc", "--quiet", "--prune=now")

    world.backend.restore(trashed.id, "alice")

    assert read(world.backend, "alice/data/a") == b"1"


def test_what_is_gone_from_the_repository_is_said_to_be_gone(world: GitWorld, tmp_path: Path) -> None:
    """A platform set up anew over a rewritten repository cannot bring back what nobody has any more."""
    world.put("alice", {"data/a": b"1"})
    trashed = world.backend.delete(parse_path("alice/data/a"), "alice")
    clone = clone_of(world)
    git("-C", clone, "checkout", "--quiet", "--orphan", "fresh")
    git("-C", clone, "commit", "--quiet", "--allow-empty", "--message=fresh")
    git("-C", clone, "push", "--quiet", "--force", "origin", "HEAD:main")
    (tmp_path / "anew").mkdir()
    (world.folder / "platform" / "trash").rename(tmp_path / "anew" / "trash")
    anew = open_platform(tmp_path / "anew", world.server)

    assert anew.trash("alice") == [trashed]
    with pytest.raises(NoSuchTrash, match="rewrote its history"):
        anew.restore(trashed.id, "alice")
    anew.close()


def test_what_was_in_the_trash_for_too_long_is_erased(tmp_path: Path) -> None:
    """A trash that is never emptied is a disk that is full."""
    with git_world(tmp_path, trash_days=0) as world:
        world.put("alice", {"data/a": b"1"})
        trashed = world.backend.delete(parse_path("alice/data/a"), "alice")

        assert world.backend.purge() == 1

        with pytest.raises(NoSuchTrash):
            world.backend.trashed(trashed.id)
        assert world.backend.purge() == 0
