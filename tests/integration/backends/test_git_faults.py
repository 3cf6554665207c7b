"""What the git backend does when something goes wrong, and what it never tells anybody."""

import base64
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from libms.errors import BackendUnreachable
from libms.git import GitBackend, GitRepository
from libms.paths import parse_path
from tests.integration.backends.git_world import PASSWORD, GitWorld, git_world, open_platform, push_files
from tests.integration.backends.test_git import place, read, until
from tests.support.git_http import GitServer, git
from twinhub.errors import SettingsError

TOKEN = PASSWORD.partition(":")[2]
TELLTALE = (TOKEN, base64.b64encode(PASSWORD.encode()).decode(), "127.0.0.1", "fatal", "http-backend")
"""Nothing of this may be in a message for people."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GitWorld]:
    """A platform, and a server that asks for a password."""
    with git_world(tmp_path) as made:
        yield made


def platform_with(world: GitWorld, repository: GitRepository) -> GitBackend:
    folder = world.folder / f"platform-{time.monotonic_ns()}"
    (folder / "staging").mkdir(parents=True)
    return GitBackend(
        folder / "git", folder / "staging", folder / "trash", {"alice": repository}, trash_days=30, fetch_interval_s=0.1
    )


def refusal(backend: GitBackend) -> str:
    """Read something, and give the words of the refusal."""
    with pytest.raises(BackendUnreachable) as caught:
        backend.listing(parse_path("alice/data"))
    said = str(caught.value)
    assert "'alice'" in said
    assert not any(word in said for word in TELLTALE)
    assert caught.value.fix
    backend.close()
    return said


# --- the server is away -----------------------------------------------------------------


def test_reading_goes_on_while_the_server_is_away_and_writing_says_so(world: GitWorld) -> None:
    """A forge that is being updated must not stop a demonstration."""
    world.put("alice", {"data/a": b"1", "data/b": b"2"})
    assert read(world.backend, "alice/data/a") == b"1"
    world.server.stop()

    with pytest.raises(BackendUnreachable) as caught:
        place(world.backend, "alice/data/new", b"3")
    assert read(world.backend, "alice/data/b") == b"2"
    assert list(world.backend.listing(parse_path("alice/data")).blobs) == ["a", "b"]
    assert not any(word in str(caught.value) for word in TELLTALE)

    world.server.start()
    place(world.backend, "alice/data/new", b"3")
    assert read(world.backend, "alice/data/new") == b"3"


def test_a_deletion_that_did_not_arrive_is_not_in_the_trash(world: GitWorld) -> None:
    """A trash that lists what still stands at its place offers to restore it over itself."""
    world.put("alice", {"data/a": b"1"})
    assert read(world.backend, "alice/data/a") == b"1"
    world.server.stop()

    with pytest.raises(BackendUnreachable):
        world.backend.delete(parse_path("alice/data/a"), "alice")

    assert world.backend.trash("alice") == []
    world.server.start()
    assert world.backend.trash("alice") == []
    assert read(world.backend, "alice/data/a") == b"1"


def test_a_repository_that_was_never_read_is_tried_again_later(world: GitWorld) -> None:
    """After a power cut the platform may be up before the forge is."""
    world.put("alice", {"data/a": b"1"})
    world.server.stop()
    for _ in range(3):
        with pytest.raises(BackendUnreachable, match="does not answer"):
            world.backend.listing(parse_path("alice/data"))
    asked = time.monotonic()
    world.server.start()

    def answers() -> bool:
        try:
            return read(world.backend, "alice/data/a") == b"1"
        except BackendUnreachable:
            return False

    until(answers, within_s=20.0)
    assert time.monotonic() - asked < 15


def test_a_push_whose_answer_was_lost_is_stored_once(world: GitWorld) -> None:
    """The connection breaks at the last moment: the upload must neither be denied nor doubled."""
    world.put("alice", {"data/a": b"1"})
    assert read(world.backend, "alice/data/a") == b"1"
    world.server.lost_answers = 1

    place(world.backend, "alice/data/b", b"2")

    assert read(world.backend, "alice/data/b") == b"2"
    assert git("-C", world.server.path("alice"), "rev-list", "--count", "main") == "2"


# --- refusals ---------------------------------------------------------------------------


def test_a_wrong_password_is_told_apart_from_silence(world: GitWorld, tmp_path: Path) -> None:
    """A token that ran out needs an administrator; trying again later does not help."""
    wrong = tmp_path / "wrong"
    wrong.write_text("platform:expired")

    said = refusal(platform_with(world, GitRepository(world.server.url("alice"), secret=wrong)))
    none = refusal(platform_with(world, GitRepository(world.server.url("alice"))))
    gone = refusal(platform_with(world, GitRepository(world.server.url("alice"), secret=tmp_path / "gone")))

    assert "refuses the platform's sign-in" in said
    assert "refuses the platform's sign-in" in none
    assert "password" in gone
    assert "expired" not in said
    assert str(tmp_path) not in gone


def test_a_missing_repository_or_branch_is_named(world: GitWorld) -> None:
    """Most first configurations have a typing error in them."""
    secret = world.folder / "platform" / "secret"
    push_files(world.server, world.folder / "c", "alice", {"data/a": b"1"})

    missing = refusal(platform_with(world, GitRepository(world.server.url("nobody"), secret=secret)))
    branch = refusal(platform_with(world, GitRepository(world.server.url("alice"), branch="trunk", secret=secret)))

    assert "is not at its address" in missing
    assert "no branch 'trunk'" in branch
    assert "main" in branch


def test_a_hook_that_declines_is_told_and_nothing_is_lost(world: GitWorld) -> None:
    """Protected branches and size limits of a forge come as refusals of the push."""
    world.put("alice", {"data/a": b"1"})
    hook = world.server.path("alice") / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho internal-host-name >&2\nexit 1\n")
    hook.chmod(0o755)
    aside = world.backend.staging / "aside"
    aside.write_bytes(b"2")

    with pytest.raises(BackendUnreachable, match="does not accept the change") as caught:
        world.backend.place(aside, parse_path("alice/data/b"), "alice")

    assert "internal-host-name" not in str(caught.value)
    assert aside.read_bytes() == b"2"
    assert list(world.backend.listing(parse_path("alice/data")).blobs) == ["a"]


def test_a_redirect_does_not_carry_the_password_elsewhere(world: GitWorld, tmp_path: Path) -> None:
    """A forge's domain is sold, and its new owner collects tokens."""
    with GitServer(tmp_path / "thief") as thief:
        thief.create("alice")
        world.server.redirect_to = thief.url("").removesuffix("/.git")

        said = refusal(world.backend)

        assert "has moved" in said
        assert thief.authorizations == []


def test_an_address_that_moved_in_the_configuration_is_copied_anew(world: GitWorld) -> None:
    """The old repository's assets must not be shown under the new address."""
    world.put("alice", {"data/old": b"1"})
    push_files(world.server, world.folder / "c", "bob", {"data/new": b"2"})
    folder = world.folder / "moving"
    secret = world.folder / "platform" / "secret"
    (folder / "staging").mkdir(parents=True)
    for name, expected in (("alice", "old"), ("bob", "new")):
        repositories = {"alice": GitRepository(world.server.url(name), secret=secret)}
        backend = GitBackend(folder / "git", folder / "staging", folder / "trash", repositories, trash_days=1)
        assert list(backend.listing(parse_path("alice/data")).blobs) == [expected]
        backend.close()


def test_a_repository_in_a_folder_needs_no_server(world: GitWorld, tmp_path: Path) -> None:
    """A laboratory without a forge keeps its repositories on a file server."""
    for address in (str(world.server.path("bob")), world.server.path("bob").as_uri()):
        backend = platform_with(world, GitRepository(address))
        name = f"{len(address)}"
        place(backend, f"alice/data/{name}", b"1")
        assert read(backend, f"alice/data/{name}") == b"1"
        backend.close()


REFUSED = (
    "ext::sh -c 'touch /tmp/owned'", "ext://x", "fd::7", "git://host/x", "ftp://host/x", "--upload-pack=touch /tmp/x",
    "-oProxyCommand=x", "ssh://-oProxyCommand=x/y", "https://user:password@host/x", "https://token@host/x", "relative/x",
    "http://", "https://host/a b", "https://host/\nx", "git@-oProxyCommand:x", "",
)  # fmt: skip


@pytest.mark.parametrize("url", REFUSED)
def test_an_address_that_could_run_programs_or_tell_secrets_is_refused(url: str) -> None:
    """Git runs programs for some addresses, and shows those with passwords in its messages."""
    with pytest.raises(SettingsError) as caught:
        GitRepository(url)
    assert "password@" not in str(caught.value)


@pytest.mark.parametrize(
    "branch", ["", "-x", "--all", "a..b", "a b", "a~1", "a:b", "x.lock", "/a", "a/", "a@{1}", "a\n"]
)
def test_a_branch_that_is_no_name_is_refused(branch: str) -> None:
    """It becomes part of commands."""
    with pytest.raises(SettingsError):
        GitRepository("https://host/x.git", branch=branch)


@pytest.mark.parametrize(
    "url", ["https://h/x.git", "ssh://git@h:22/x", "git@h.example:group/x.git", "/srv/x", "file:///srv/x"]
)
def test_usual_addresses_are_accepted(url: str) -> None:
    """What forges show under 'clone'."""
    assert GitRepository(url, branch="feature/größe-2.0").scheme in ("https", "ssh", "file")


# --- secrets ----------------------------------------------------------------------------


def test_the_password_is_in_no_argument_no_log_and_no_file_of_the_mirror(
    world: GitWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """Everybody on a machine can list the arguments of all programs that run on it."""
    caplog.set_level(logging.DEBUG)
    seen: set[str] = set()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            for process in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(process.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
                except OSError:
                    continue

    looking = threading.Thread(target=look)
    looking.start()
    for number in range(8):
        place(world.backend, f"alice/data/{number}", b"1")
    done.set()
    looking.join()
    world.server.stop()
    with pytest.raises(BackendUnreachable):
        place(world.backend, "alice/data/x", b"1")

    mine = [line for line in seen if str(world.folder) in line]
    assert any(" push " in line for line in mine)
    assert any("remote-http" in line for line in seen)
    kept = [file.read_bytes() for file in (world.folder / "platform" / "library").rglob("*") if file.is_file()]
    for secret in TELLTALE[:2]:
        assert not any(secret in line for line in seen)
        assert secret not in caplog.text
        assert not any(secret.encode() in content for content in kept)


# --- sudden ends ------------------------------------------------------------------------


def start_writer(world: GitWorld, how: str) -> subprocess.Popen[str]:
    script = Path(__file__).with_name("git_writer.py")
    root = Path(__file__).parents[3]
    return subprocess.Popen(
        [sys.executable, str(script), str(world.folder / "killed"), world.server.url("alice"), how],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
        process_group=0,
    )


def kill_in_the_middle(world: GitWorld, how: str, lines: int) -> list[str]:
    """Let a platform write, kill it after some lines at a moment of its choice, and give what it acknowledged."""
    with start_writer(world, how) as writer:
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline().strip() for _ in range(lines)]
        time.sleep(0.013 * lines)  # somewhere else in the next change each time
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged += [line.strip() for line in writer.stdout if line.endswith("\n")]
    return [line for line in acknowledged if line]


def pushes(world: GitWorld) -> list[str]:
    """List the pushes that are under way, on either side."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = process.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if str(world.folder) in line and (" push " in line or "receive-pack" in line):
            found.append(line)
    return found


def killed_platform(world: GitWorld) -> Path:
    folder = world.folder / "killed"
    for name in ("staging", "trash"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "secret").write_text(PASSWORD)
    return folder


def test_a_killed_platform_loses_nothing_that_it_acknowledged(world: GitWorld) -> None:
    """A power cut in the middle of an upload: what was reported as stored is stored, and work goes on."""
    folder = killed_platform(world)
    world.put("alice", {"README.md": b"start"})
    acknowledged: list[str] = []

    for lines in range(1, 6):
        acknowledged += kill_in_the_middle(world, "place", lines)

    server = world.server.path("alice")
    git("-C", server, "fsck", "--strict")
    stored = git("-C", server, "ls-tree", "-r", "--name-only", "main", "data/").split("\n")
    assert {f"data/{name}" for name in acknowledged} <= set(stored)
    mirror = folder / "library" / "git" / "alice.git"
    for stale in ("packed-refs.lock", "refs/heads/main.lock", "config.lock"):
        (mirror / stale).write_text("left by a dead process")
    backend = open_platform(folder, world.server)
    place(backend, "alice/data/afterwards", b"1")
    # A push may also arrive after its platform is gone, so there may be one more.
    assert {f"data/{name}" for name in backend.listing(parse_path("alice/data")).blobs} > set(stored)
    assert read(backend, "alice/data/afterwards") == b"1"
    backend.close()


def test_what_a_killed_platform_deleted_is_in_the_trash(world: GitWorld) -> None:
    """Every file is either at its place or can be brought back, wherever the power went."""
    folder = killed_platform(world)
    files = {f"data/{number:04}": b"%d" % number for number in range(60)}
    world.put("alice", files)
    acknowledged: list[str] = []

    for lines in range(1, 6):
        acknowledged += kill_in_the_middle(world, "delete", lines)

    until(lambda: not pushes(world))  # those that outlive their platform
    backend = open_platform(folder, world.server)
    until(lambda: backend.revision("alice") == git("-C", world.server.path("alice"), "rev-parse", "main"))
    there = set(backend.listing(parse_path("alice/data")).blobs)
    trashed = {one.path.name: one for one in backend.trash("alice")}
    assert set(acknowledged) <= set(trashed)
    assert there | set(trashed) == {f"{number:04}" for number in range(60)}
    assert not there & set(trashed)
    for name, one in trashed.items():
        backend.restore(one.id, "alice")
        assert read(backend, f"alice/data/{name}") == files[f"data/{name}"]
    backend.close()


def test_an_interrupted_first_copy_is_made_again(world: GitWorld) -> None:
    """A copy that was cut off would show a part of the assets as if it were all."""
    world.put("alice", {"data/a": b"1"})
    mirrors = world.folder / "platform" / "library" / "git"
    (mirrors / "alice.git").mkdir(parents=True)
    (mirrors / "alice.git" / "HEAD").write_text("ref: refs/heads/main\n")
    (mirrors / "alice.git.0123.new").mkdir()

    assert read(world.backend, "alice/data/a") == b"1"
    assert not (mirrors / "alice.git.0123.new").exists()


def test_a_reader_that_is_killed_is_replaced(world: GitWorld) -> None:
    """The kernel ends programs when memory is short; the next request must not notice."""
    world.put("alice", {"data/a": b"1", "data/b": b"2"})
    assert read(world.backend, "alice/data/a") == b"1"
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = process.read_bytes()
        except OSError:
            continue
        if b"cat-file" in line and str(world.folder).encode() in line:
            os.kill(int(process.parent.name), signal.SIGKILL)

    assert read(world.backend, "alice/data/b") == b"2"
    assert [one.size for one in world.backend.entries(parse_path("alice/data"), ["a", "b"])] == [1, 1]


def test_a_damaged_copy_is_told_and_made_anew(world: GitWorld) -> None:
    """A disk error in what is only a copy costs a restart and no asset."""
    world.put("alice", {"data/a": b"1"})
    folder = killed_platform(world)
    for expected in ("damaged", "whole"):
        backend = open_platform(folder, world.server)
        if expected == "damaged":
            assert backend.revision("alice")
            for file in (folder / "library" / "git" / "alice.git" / "objects").glob("??/*"):
                file.unlink()
            with pytest.raises(BackendUnreachable, match="is damaged"):
                read(backend, "alice/data/a")
        else:
            assert read(backend, "alice/data/a") == b"1"
        backend.close()


def test_without_git_the_library_starts_and_says_what_is_missing(world: GitWorld) -> None:
    """A library on disk needs no git, so its absence is told only to those who configured it."""
    script = """
import sys; from pathlib import Path
from libms.errors import BackendUnreachable
from libms.git import GitBackend, GitRepository
from libms.paths import parse_path
folder = Path(sys.argv[1])
backend = GitBackend(folder, folder, folder / "trash", {"alice": GitRepository("https://host/x.git")}, trash_days=1)
try:
    backend.listing(parse_path("alice/data"))
except BackendUnreachable as error:
    print(error)
"""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", script, str(world.folder / "without")],
        env={"PATH": "/nonexistent", "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "not installed" in done.stdout
