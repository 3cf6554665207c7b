"""What only the gitlab backend does, against a stand-in for GitLab (see gitlab_world)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from libms.errors import (
    AssetNotFound,
    BackendUnreachable,
    Changed,
    Exists,
    NoSuchTrash,
    NotAFile,
    NotAFolder,
    PathRefused,
    RefNotFound,
)
from libms.models import Ref
from libms.paths import parse_path
from tests.integration.backends.gitlab_world import GitLabWorld, gitlab_world, open_gitlab
from tests.support.gitlab_standin import Fault
from twinhub.errors import TooLarge


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GitLabWorld]:
    with gitlab_world(tmp_path) as made:
        made.backend.ensure_owner("alice")
        yield made


def etag(world: GitLabWorld, path: str) -> str:
    return world.backend.about(parse_path(path)).etag


# --- reading ----------------------------------------------------------------------------


def test_a_folder_of_350_files_is_listed_whole(world: GitLabWorld) -> None:
    """GitLab gives 100 names a page; the library that people come from showed the first 100 and no more."""
    names = [f"run-{number:03}.csv" for number in range(350)]
    world.put("alice", {f"data/runs/{name}": name.encode() for name in names})

    listing = world.backend.listing(parse_path("alice/data/runs"))

    assert list(listing.blobs) == names
    assert [found.path for found in world.backend.walk(parse_path("alice/data/runs"))] == names
    assert [entry.size for entry in world.backend.entries(parse_path("alice/data/runs"), names[:150])] == [11] * 150


def test_folders_and_files_beyond_a_page_are_both_there(world: GitLabWorld) -> None:
    """Each kind has pages of its own, and both may go on."""
    files = {f"data/f{number:03}": b"" for number in range(130)}
    folders = {f"data/d{number:03}/f": b"" for number in range(210)}
    world.put("alice", {**files, **folders})

    listing = world.backend.listing(parse_path("alice/data"))

    assert (len(listing.trees), len(listing.blobs)) == (210, 130)


def test_all_owners_of_a_large_group_are_named(world: GitLabWorld) -> None:
    """A group of more than 100 people must not lose the last ones, and projects that are nobody's stay out."""
    for number in range(120):
        world.standin.create(f"user{number:03}")
    world.standin.create("Not_An_Account")

    owners = world.backend.owners()

    assert len(owners) == 123
    assert owners == sorted(owners)


def test_branches_and_tags_are_named_and_read(world: GitLabWorld) -> None:
    """Engineers compare what they have with what they released."""
    world.put("alice", {"data/a.txt": b"one"})
    repository = world.standin.create("alice")
    repository.git("tag", "v1")
    for number in range(105):
        repository.git("branch", f"b{number:03}")
    world.put("alice", {"data/a.txt": b"two"})

    refs = world.backend.refs("alice")

    assert len(refs) == 107
    assert Ref("v1", "tag") in refs
    assert world.read(parse_path("alice/data/a.txt"), "v1") == b"one"
    assert world.read(parse_path("alice/data/a.txt"), "b007") == b"one"
    assert world.read(parse_path("alice/data/a.txt")) == b"two"


@pytest.mark.parametrize("ref", ["nope", "../../groups", "HEAD~1", "main^{tree}", "--all", "a b", "@{-1}", "x" * 300])
def test_a_hostile_ref_is_no_version(world: GitLabWorld, ref: str) -> None:
    """A ref is part of an address; it must not lead to another one."""
    with pytest.raises(RefNotFound):
        world.backend.listing(parse_path("alice"), ref)


@pytest.mark.parametrize(
    "content", [b"plain text\n", b"\xef\xbb\xbfwith a mark\r\n ", b"\xff\xfe\x00binary", b"", b"x" * 3_000_000]
)
def test_bytes_come_back_as_they_were(world: GitLabWorld, content: bytes) -> None:
    """A model that differs in one byte is another model; text goes another way than the rest."""
    path = parse_path("alice/models/a+b %2F ?#ü.fmu")

    world.backend.place(world.aside(content), path, "alice")

    assert world.read(path) == content
    assert world.backend.about(path).size == len(content)
    assert list(world.backend.staging.iterdir()) == []


def test_an_answer_cut_short_is_no_file(world: GitLabWorld) -> None:
    """Half a file that looks like a whole one ruins a simulation."""
    world.put("alice", {"data/big.bin": b"\0" * 100_000})
    world.standin.faults.order(Fault(r"GET .*/blobs/.*/raw", status=200, body="\0" * 50_000))

    with pytest.raises(BackendUnreachable, match="did not give all"):
        world.read(parse_path("alice/data/big.bin"))


def test_links_are_shown_and_never_followed(world: GitLabWorld) -> None:
    """A link in a repository may point anywhere, at a file of the host too."""
    repository = world.standin.create("alice")
    repository.push({"data/link": b"/etc/passwd", "data/f": b"1"}, links=["data/link"])

    assert list(world.backend.listing(parse_path("alice/data")).blobs) == ["f", "link"]
    assert [found.path for found in world.backend.walk(parse_path("alice/data"))] == ["f"]
    with pytest.raises(NotAFile):
        world.read(parse_path("alice/data/link"))
    for path in ("alice/data/link", "alice/data/link/x"):
        with pytest.raises(AssetNotFound):
            world.backend.about(parse_path(path))


def test_what_people_type_is_never_part_of_a_query(world: GitLabWorld) -> None:
    """Names with quotes and braces are names; the stand-in would refuse a broken query."""
    name = 'a"){id}}} #$ref\\'
    world.put("alice", {f"data/{name}": b"odd"})

    assert world.read(parse_path(f"alice/data/{name}")) == b"odd"
    assert world.backend.entries(parse_path("alice/data"), [name])[0].size == 3
    assert world.standin.violations == []


def test_a_state_is_asked_for_no_more_often_than_agreed(tmp_path: Path) -> None:
    """Many people looking at a page must not become many requests to GitLab."""
    with gitlab_world(tmp_path, poll_s=3600.0) as world:
        world.backend.ensure_owner("alice")
        world.backend.listing(parse_path("alice"))
        before = len(world.standin.requests)

        for _ in range(20):
            world.backend.revision("alice")
            world.backend.listing(parse_path("alice"))
            world.backend.ensure_owner("alice")

        assert len(world.standin.requests) == before


def test_own_changes_are_seen_at_once(tmp_path: Path) -> None:
    """Whoever saves a file and does not see it saves it again."""
    with gitlab_world(tmp_path, poll_s=3600.0) as world:
        world.backend.ensure_owner("alice")
        before = world.backend.revision("alice")

        world.backend.place(world.aside(b"1"), parse_path("alice/data/a"), "alice")

        assert world.backend.revision("alice") != before
        assert list(world.backend.listing(parse_path("alice/data")).blobs) == ["a"]


# --- changing ---------------------------------------------------------------------------


def test_a_change_is_one_commit_in_the_users_name(world: GitLabWorld) -> None:
    """Half a twin is none, and the history says who did it."""
    world.put("alice", {"data/x": b"1"})
    repository = world.standin.create("alice")
    aside = world.backend.staging / "twin"
    (aside / "lifecycle").mkdir(parents=True)
    (aside / "empty").mkdir()
    (aside / "twin.yaml").write_bytes(b"title: x\n")
    (aside / "lifecycle" / "execute").write_bytes(b"#!/bin/sh\n")
    (aside / "lifecycle" / "execute").chmod(0o755)
    before = repository.head()

    world.backend.place(aside, parse_path("alice/digital_twins/x"), "bob")

    head = repository.head()
    assert head is not None
    assert repository.commit(head).parents == (before,)
    assert repository.commit(head).author == "bob"
    found = {one.path: one.executable for one in world.backend.walk(parse_path("alice/digital_twins/x"))}
    assert found == {"empty": False, "lifecycle": False, "lifecycle/execute": True, "twin.yaml": False}


def test_a_foreign_commit_between_reading_and_saving_is_told(world: GitLabWorld) -> None:
    """Two people edit a file: the second one to save must not wipe out what the first one wrote."""
    path = parse_path("alice/data/a.txt")
    world.put("alice", {"data/a.txt": b"old"})
    seen = etag(world, "alice/data/a.txt")
    world.put("alice", {"data/a.txt": b"theirs"})
    aside = world.aside(b"mine")

    with pytest.raises(Changed):
        world.backend.place(aside, path, "alice", if_match=seen)

    assert world.read(path) == b"theirs"
    assert aside.read_bytes() == b"mine"


@pytest.mark.parametrize("moment", [r"POST .*/repository/commits", "between check and write"])
def test_a_foreign_commit_in_the_last_moment_is_not_lost(world: GitLabWorld, moment: str) -> None:
    """It comes after the library's look at the file, or even between GitLab's own check and its writing."""
    path = parse_path("alice/data/a.txt")
    world.put("alice", {"data/a.txt": b"old"})
    seen = etag(world, "alice/data/a.txt")
    world.standin.faults.order(Fault(moment, before=lambda: world.put("alice", {"data/a.txt": b"theirs"})))

    with pytest.raises(Changed):
        world.backend.place(world.aside(b"mine"), path, "alice", if_match=seen)

    assert world.read(path) == b"theirs"


def test_a_foreign_commit_elsewhere_does_not_disturb(world: GitLabWorld) -> None:
    """In a busy project somebody always commits something."""
    path = parse_path("alice/data/a.txt")
    world.put("alice", {"data/a.txt": b"old"})
    seen = etag(world, "alice/data/a.txt")
    world.standin.faults.order(
        Fault(r"POST .*/repository/commits", before=lambda: world.put("alice", {"data/other": b"theirs"}))
    )

    world.backend.place(world.aside(b"mine"), path, "alice", if_match=seen)

    assert world.read(path) == b"mine"
    assert world.read(parse_path("alice/data/other")) == b"theirs"


def test_a_name_taken_in_the_last_moment_stays_theirs(world: GitLabWorld) -> None:
    """A new file must never become a replacement because somebody was faster."""
    path = parse_path("alice/data/new.txt")
    world.standin.faults.order(
        Fault(r"POST .*/repository/commits", before=lambda: world.put("alice", {"data/new.txt": b"theirs"}))
    )

    with pytest.raises(Exists):
        world.backend.place(world.aside(b"mine"), path, "alice")

    assert world.read(path) == b"theirs"


def test_a_file_changed_while_it_is_moved_keeps_the_change(world: GitLabWorld) -> None:
    """A colleague saves in the moment in which the folder is renamed."""
    world.put("alice", {"data/old/a": b"1", "data/old/b": b"2"})
    world.standin.faults.order(
        Fault(r"POST .*/repository/commits", before=lambda: world.put("alice", {"data/old/a": b"theirs"}))
    )

    world.backend.move(parse_path("alice/data/old"), parse_path("alice/data/new"), "alice")

    assert world.read(parse_path("alice/data/new/a")) == b"theirs"
    assert world.read(parse_path("alice/data/new/b")) == b"2"


def test_a_file_changed_while_it_is_deleted_comes_back_with_the_change(world: GitLabWorld) -> None:
    """The trash must hold what was there, not what the library saw before."""
    path = parse_path("alice/data/a")
    world.put("alice", {"data/a": b"1"})
    world.standin.faults.order(
        Fault("between check and write", before=lambda: world.put("alice", {"data/a": b"theirs"}))
    )

    trashed = world.backend.delete(path, "alice")
    world.backend.restore(trashed.id, "alice")

    assert world.read(path) == b"theirs"


def test_what_changes_on_the_way_to_another_owner_is_not_deleted(world: GitLabWorld) -> None:
    """Publishing takes two commits; what a colleague saves between them must not vanish."""
    world.put("alice", {"models/m/a": b"1", "models/m/b": b"2"})
    posts = r"POST .*/projects/dtaas%2Falice/repository/commits"
    world.standin.faults.order(Fault(posts, before=lambda: world.put("alice", {"models/m/a": b"theirs"})))

    with pytest.raises(Changed):
        world.backend.move(parse_path("alice/models/m"), parse_path("common/models/m"), "alice")

    assert world.read(parse_path("alice/models/m/a")) == b"theirs"
    with pytest.raises(AssetNotFound):
        world.backend.about(parse_path("common/models/m"))


def test_moving_to_another_owner_takes_all_along(world: GitLabWorld) -> None:
    """Content, empty folders and the right to be executed belong to a twin."""
    world.put("alice", {"digital_twins/t/empty/.gitkeep": b"", "digital_twins/t/bin": b"\0\1"})

    world.backend.move(parse_path("alice/digital_twins/t"), parse_path("common/digital_twins/t"), "alice")

    assert list(world.backend.listing(parse_path("common/digital_twins/t")).trees) == ["empty"]
    assert world.read(parse_path("common/digital_twins/t/bin")) == b"\0\1"
    assert list(world.backend.listing(parse_path("alice/digital_twins")).trees) == []


def test_writers_at_the_same_time_lose_nothing(world: GitLabWorld, tmp_path: Path) -> None:
    """Two processes of the library, and people with clones, commit to one project at once."""
    other = open_gitlab(tmp_path / "other", world.standin)

    def write(number: int) -> None:
        backend = (world.backend, other)[number % 2]
        backend.place(world.aside(b"x"), parse_path(f"alice/data/f{number}"), "alice")
        if number % 4 == 0:
            world.put("alice", {f"data/pushed{number}": b"y"})

    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(write, range(16)))
    finally:
        other.close()

    assert len(world.backend.listing(parse_path("alice/data")).blobs) == 20


def test_what_is_too_large_for_one_commit_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    """GitLab takes content inside JSON; the refusal says how large files get there."""
    with gitlab_world(tmp_path, largest_bytes=1_000_000) as world:
        world.backend.ensure_owner("alice")
        aside = world.aside(b"\0" * 1_000_001)

        with pytest.raises(TooLarge, match=r"1 MB are possible.*git push"):
            world.backend.place(aside, parse_path("alice/data/big"), "alice")

        assert aside.exists()


@pytest.mark.parametrize("name", [".git", "a/.git/config", ".gitkeep"])
def test_names_that_git_keeps_for_itself_are_refused(world: GitLabWorld, name: str) -> None:
    """A hook or a configuration must not be smuggled into somebody's clone."""
    aside = world.aside(b"x")

    with pytest.raises(PathRefused):
        world.backend.place(aside, parse_path(f"alice/data/{name}"), "alice")

    assert aside.exists()


def test_the_last_file_of_a_folder_leaves_the_folder(world: GitLabWorld) -> None:
    """Git keeps no empty folders, people do."""
    world.put("alice", {"data/runs/one": b"1"})

    world.backend.delete(parse_path("alice/data/runs/one"), "alice")

    listing = world.backend.listing(parse_path("alice/data/runs"))
    assert (list(listing.trees), list(listing.blobs)) == ([], [])


def test_a_deletion_that_fails_leaves_no_trace(world: GitLabWorld) -> None:
    """What is still there must not be in the trash as well."""
    with pytest.raises(AssetNotFound):
        world.backend.delete(parse_path("alice/data/nope"), "alice")

    assert world.backend.trash("alice") == []


def test_a_deletion_with_an_unknown_end_can_be_brought_back(world: GitLabWorld) -> None:
    """GitLab deletes, and its answer is lost on the way: the trash must know the file all the same."""
    path = parse_path("alice/data/a")
    world.put("alice", {"data/a": b"1"})
    repository = world.standin.create("alice")
    world.standin.faults.order(
        Fault(r"POST .*/repository/commits", status=502, before=lambda: repository.push({"data/a": None}))
    )

    with pytest.raises(BackendUnreachable):
        world.backend.delete(path, "alice")
    world.backend.restore(world.backend.trash("alice")[0].id, "alice")

    assert world.read(path) == b"1"


def test_a_rewritten_history_is_told(world: GitLabWorld) -> None:
    """Whoever rewrites history with git takes the trash's content away."""
    world.put("alice", {"data/a": b"1"})
    trashed = world.backend.delete(parse_path("alice/data/a"), "alice")
    repository = world.standin.create("alice")
    repository.git("update-ref", "-d", "refs/heads/main")
    repository.git("gc", "--quiet", "--prune=now")

    with pytest.raises(NoSuchTrash, match="history"):
        world.backend.restore(trashed.id, "alice")


def test_an_owner_without_a_project_gets_one(world: GitLabWorld) -> None:
    """The first sign-in of a new person is no moment to call an administrator."""
    with pytest.raises(AssetNotFound):
        world.backend.listing(parse_path("newcomer"))

    world.backend.ensure_owner("newcomer")

    listing = world.backend.listing(parse_path("newcomer"))
    assert list(listing.trees) == ["data", "digital_twins", "functions", "models", "tools"]


@pytest.mark.parametrize("owner", ["../common", "dtaas", "No One", "x" * 200])
def test_what_is_no_account_is_no_project(world: GitLabWorld, owner: str) -> None:
    """An owner's name becomes part of a project's path."""
    with pytest.raises(AssetNotFound):
        world.backend.revision(owner)


def test_a_way_through_a_file_is_no_folder(world: GitLabWorld) -> None:
    """Clients of other installations look for ENOTDIR."""
    world.put("alice", {"data/f": b"1"})

    with pytest.raises(NotAFolder, match=r"^ENOTDIR"):
        world.backend.listing(parse_path("alice/data/f"))
    with pytest.raises(NotAFolder, match=r"^ENOTDIR"):
        world.backend.place(world.aside(b"x"), parse_path("alice/data/f/g"), "alice")


def test_content_ids_are_those_of_git(world: GitLabWorld) -> None:
    """An etag that is git's own id can be compared with any clone."""
    world.put("alice", {"data/a": b"hello"})

    assert etag(world, "alice/data/a") == f'"{hashlib.sha1(b"blob 5" + bytes(1) + b"hello").hexdigest()}"'  # noqa: S324
