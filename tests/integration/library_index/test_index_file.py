"""The index's file is only a cache: whatever happens to it, nothing is lost and nobody sees a traceback."""

import os
import sqlite3
import stat
import subprocess
import sys

import pytest

from libms.index import Index, Query, disk, rows
from libms.index.database import SCHEMA, VERSION
from libms.index.places import Folder
from tests.support.indexed import Library, soon


@pytest.fixture
def filled(library: Library) -> Library:
    for number in range(300):
        library.write(f"alice/models/spring{number}/README.md", f"# Spring {number}\nOscillates.")
    library.start()
    assert len(library.found("oscillates")) == 300
    return library


def complete(library: Library) -> bool:
    return len(library.found("oscillates")) == 300 and library.index.usage("alice") == sum(
        file.stat().st_size for file in library.files.glob("alice/models/*/README.md")
    )


def test_deleting_the_file_while_the_service_runs_loses_nothing(filled: Library) -> None:
    """An operator frees space, or restores a backup without the index."""
    generation = filled.index.database.generation
    for file in filled.file.parent.iterdir():
        file.unlink()
    soon(lambda: filled.index.database.generation > generation)
    soon(lambda: complete(filled) and filled.indexer.ready, 20)
    filled.shell("touch bob/data/after")
    soon(lambda: filled.found("after"))


def test_garbage_in_the_file_while_the_service_runs_is_mended(
    filled: Library, caplog: pytest.LogCaptureFixture
) -> None:
    """A bad disk, or an editor that saved it."""
    with filled.file.open("r+b") as file:
        file.write(os.urandom(filled.file.stat().st_size))
    filled.shell("touch bob/data/after")  # makes the writer look at it
    soon(lambda: complete(filled) and filled.found("after") != [], 20)
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    "damage", [b"", b"no database at all, but text\n" * 1000, None], ids=["emptied", "text", "cut in the middle"]
)
def test_a_damaged_file_at_the_start_is_built_again(filled: Library, damage: bytes | None) -> None:
    """After a crash of the host."""
    filled.stop()
    raw = filled.file.read_bytes()
    filled.file.write_bytes(raw[: len(raw) // 2] if damage is None else damage)
    filled.start()
    soon(lambda: complete(filled), 20)


def test_a_page_damaged_in_the_middle_is_noticed_when_it_is_read(filled: Library) -> None:
    """Not all damage is at the beginning."""
    filled.stop()
    with filled.file.open("r+b") as file:
        for page in range(5, filled.file.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xff" * 4096)
    filled.start(ready=False)
    soon(lambda: complete(filled), 20)


@pytest.mark.parametrize("version", [VERSION + 1, 0])
def test_a_file_of_another_version_is_built_again(library: Library, version: int) -> None:
    """An upgrade or a downgrade must not read rows that mean something else."""
    library.file.parent.mkdir()
    with sqlite3.connect(library.file) as other:
        other.executescript(SCHEMA.replace("title", "headline"))
        other.execute(f"PRAGMA user_version = {version}")
        other.execute("INSERT INTO usage VALUES('ghost', 5, NULL)")
    other.close()
    library.write("alice/models/spring.fmu")
    library.start()
    assert library.found("spring") == ["alice/models/spring.fmu"]
    assert library.index.usage("ghost") == 0


def test_killed_in_the_middle_it_goes_on_where_it_was(library: Library) -> None:
    """kill -9 during the first build, several times."""
    for number in range(400):
        library.write(f"alice/models/spring{number}/README.md", "Oscillates.")
    script = (
        "import sys\nfrom pathlib import Path\nfrom libms.index import *\nfrom libms.disk.storage import *\n"
        "b=Path(sys.argv[1]); i=Index(Path(sys.argv[2]))\n"
        "Indexer(DiskBackend(Folders(b/'files',b/'s',b/'t'),trash_days=1,make_owner=print),i,b/'files').start()\n"
        "while len(i.search(Query(None,first=100)).hits)<int(sys.argv[3]): pass\nprint('now',flush=True)\nsys.stdin.readline()"
    )
    for many in (10, 60):
        command = [sys.executable, "-c", script, str(library.base), str(library.file), str(many)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
            assert running.stdout is not None
            assert running.stdout.readline() == b"now\n"
            running.kill()
    library.start()
    assert len(library.found("oscillates")) == 400
    with library.index.database.write() as connection:
        connection.execute("INSERT INTO asset_words(asset_words) VALUES('integrity-check')")
        connection.execute("INSERT INTO inside_words(inside_words) VALUES('integrity-check')")


def test_only_the_service_may_read_the_file(library: Library) -> None:
    """It holds everybody's names and texts."""
    index = Index(library.file)
    with index.database.write() as connection:
        connection.execute("INSERT INTO usage VALUES('alice', 1, NULL)")
    modes = {stat.S_IMODE(file.stat().st_mode) for file in library.file.parent.iterdir()}
    assert modes == {0o600}
    assert index.search(Query(None)).hits == ()
    index.close()


FULL_DISK = """
import resource, sys, time
from pathlib import Path
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
from libms.index import Index, Indexer, Query
from libms.disk.storage import DiskBackend, Folders
from libms.index import disk
disk.AFTER_FAILURE_S = 0.2
base = Path(sys.argv[1])
index = Index(Path(sys.argv[2]))
backend = DiskBackend(Folders(base / "files", base / "s", base / "t"), trash_days=1, make_owner=print)
indexer = Indexer(backend, index, base / "files")
indexer.start()
assert not indexer.wait_until_ready(1)
print(len(index.search(Query(None)).hits), index.usage("alice"))
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
assert indexer.wait_until_ready(20)
print(len(index.search(Query(None)).hits), index.usage("alice"))
indexer.stop()
"""


@pytest.mark.parametrize("there", [False, True])
def test_without_room_on_the_disk_the_service_starts_and_catches_up_later(library: Library, there: bool) -> None:
    """Reading, deleting and signing in must work then; and nobody may have to restart anything."""
    library.write("alice/data/spring.csv", "12345")
    if there:
        library.start()
        library.stop()
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(library.base), str(library.file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout.splitlines() in (["0 0", "1 5"], ["1 5", "1 5"])
    assert "Traceback" not in run.stderr


def test_one_owner_with_whom_something_goes_wrong_stops_nobody_else(
    library: Library, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug of ours must not become everybody's."""

    def set_bytes(connection: sqlite3.Connection, folder: Folder, size: int) -> None:
        if folder.owner == "alice":
            raise RuntimeError("a bug")
        real(connection, folder, size)

    real = rows.set_bytes
    monkeypatch.setattr(rows, "set_bytes", set_bytes)
    monkeypatch.setattr(disk, "AFTER_FAILURE_S", 0.2)
    library.write("bob/data/fine.csv")
    library.start()
    library.shell("touch bob/data/later alice/data/never")
    soon(lambda: library.found("later"))
    assert caplog.text.count("the index of alice stumbled") == 1
