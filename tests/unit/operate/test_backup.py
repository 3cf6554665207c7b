"""A backup holds everything, as it was, whatever people call their files and do meanwhile."""

import dataclasses
import gzip
import json
import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from twinhub.operate.backup import manifest
from twinhub.operate.backup.catalogue import Backup, find_backup, list_backups, list_unreadable, sweep, write_summary
from twinhub.operate.backup.errors import BackupDamaged, BackupRefused, RestoreRefused
from twinhub.operate.backup.making import Wish, make_backup
from twinhub.operate.backup.manifest import read_manifest
from twinhub.operate.backup.restoring import Changes, extract, restore
from twinhub.operate.backup.verifying import verify
from twinhub.operate.cli.backups import backup_list
from twinhub.operate.report import Report
from twinhub.places import Places
from twinhub.settings import Settings, read_settings

QUIET = Report(quiet=True)
NOTHING = Changes({})
HOSTILE = (b"a\nb", b"\xff\xfe", b"-rf", b"$(id)", b"caf\xc3\xa9", b"x" * 250, b"\x1b[31m")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """An installation's data folder with a database, a secret and one person's files."""
    data = tmp_path / "data"
    for folder in ("secrets", "hub", "files/ada/data", "homes/ada", "app/1", "run", "backups"):
        (data / folder).mkdir(parents=True)
    (data / "backups").chmod(0o700)
    (data / "secrets" / "session").write_text("s3cret\n")
    (data / "secrets" / "session").chmod(0o600)
    with closing(sqlite3.connect(data / "hub" / "jupyterhub.sqlite")) as database, database:
        database.execute("CREATE TABLE spawners (server_id, state, started)")
        database.execute("CREATE TABLE servers (id)")
        database.execute("CREATE TABLE services (_server_id)")
        database.execute("INSERT INTO spawners VALUES (1, 'running', 'now')")
    (data / "files/ada/data/plain.csv").write_text("a,b\n1,2\n")
    (data / "app/1/code.py").write_text("x")
    return Places(data, Settings())


def described(root: Path) -> dict[bytes, tuple[object, ...]]:
    """Give everything that a backup promises to keep of a tree, hub's database aside."""
    found: dict[bytes, tuple[object, ...]] = {}
    for folder, folders, files in os.walk(os.fsencode(root)):
        for name in (*folders, *files):
            path = os.path.join(folder, name)  # noqa: PTH118 - bytes
            status = os.lstat(path)
            content: bytes = os.readlink(path) if os.path.islink(path) else b""  # noqa: PTH114, PTH115 - bytes
            if os.path.isfile(path) and not content:  # noqa: PTH113 - bytes
                with open(path, "rb") as stream:  # noqa: PTH123 - bytes
                    content = stream.read(1 << 20)
            size = status.st_size if name in files else 0
            links = status.st_nlink if name in files else 0
            key = os.path.relpath(path, os.fsencode(root))
            found[key] = (status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns, size, links, content)
    return found


def test_everything_comes_back_as_it_was(places: Places, tmp_path: Path) -> None:
    """Whoever loses the server wants owners, modes, times, links and strange names again, not just bytes."""
    ada = places.files / "ada"
    for name in HOSTILE:
        (Path(os.fsdecode(os.fsencode(ada) + b"/" + name))).write_bytes(name)
    (ada / "run.sh").write_text("#!/bin/sh")
    (ada / "run.sh").chmod(0o4755)
    os.utime(ada / "run.sh", ns=(1, 1_234_567_890_123_456_789))
    (ada / "away").symlink_to("/etc/shadow")
    (ada / "twice").write_text("one file")
    (ada / "data" / "again").hardlink_to(ada / "twice")
    os.mkfifo(ada / "pipe")
    (ada / "closed").mkdir(mode=0o000)
    before = described(places.files)
    backup = make_backup(places, QUIET)
    restore(backup, tmp_path / "new", NOTHING, QUIET)
    assert described(tmp_path / "new" / "files") == before
    assert (tmp_path / "new/files/ada/twice").samefile(tmp_path / "new/files/ada/data/again")
    assert not (tmp_path / "new" / "app").exists()
    assert backup.problems == 0


def test_the_second_backup_copies_only_what_changed(places: Places) -> None:
    """100 GB of files must not cost 100 GB each day."""
    (places.files / "ada/big").write_bytes(os.urandom(3_000_000))
    make_backup(places, QUIET)
    (places.files / "ada/data/plain.csv").write_text("changed")
    (places.files / "ada/big").rename(places.files / "ada/moved")
    second = make_backup(places, QUIET)
    assert 0 < second.new_bytes < 100_000
    assert verify(second, QUIET) == 4


def test_a_content_that_changed_with_its_time_set_back_is_copied(places: Places, tmp_path: Path) -> None:
    """Tools that keep times must not make a backup miss what they wrote."""
    file = places.files / "ada/data/plain.csv"
    make_backup(places, QUIET)
    status = file.stat()
    file.write_text("b,a\n1,2\n")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    restore(make_backup(places, QUIET), tmp_path / "new", NOTHING, QUIET)
    assert (tmp_path / "new/files/ada/data/plain.csv").read_text() == "b,a\n1,2\n"


def test_a_file_of_a_million_terabytes_costs_nothing(places: Places, tmp_path: Path) -> None:
    """Anybody can make one in a moment; it must neither fill the disk nor keep the backup busy for years."""
    with (places.files / "ada/hole").open("wb") as stream:
        stream.truncate(2**43)
        stream.seek(2**42)
        stream.write(b"in the middle")
    backup = make_backup(places, QUIET)
    verify(backup, QUIET)
    restore(backup, tmp_path / "new", NOTHING, QUIET)
    with (tmp_path / "new/files/ada/hole").open("rb") as stream:
        assert os.fstat(stream.fileno()).st_size == 2**43
        stream.seek(2**42)
        assert stream.read(14) == b"in the middle\0"


def test_a_file_that_is_written_all_the_time_is_named_and_whole_up_to_a_moment(places: Places, tmp_path: Path) -> None:
    """A running twin's log goes on while it is copied; what is kept of it must be its true beginning."""
    log = places.files / "ada/data/twin.log"
    log.write_bytes(b"0" * 20_000_000)
    ended = threading.Event()

    def write() -> None:
        with log.open("ab", buffering=0) as stream:
            while not ended.is_set():
                stream.write(b"1")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        backup = make_backup(places, QUIET)
    finally:
        ended.set()
        writer.join()
    restore(backup, tmp_path / "new", NOTHING, QUIET)
    assert backup.changed == ("files/ada/data/twin.log",)
    assert log.read_bytes().startswith((tmp_path / "new/files/ada/data/twin.log").read_bytes())


def test_the_database_is_of_one_moment_while_it_is_written(places: Places, tmp_path: Path) -> None:
    """Accounts that are being made must not leave half of themselves in a backup."""
    file = places.hub / "jupyterhub.sqlite"
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("INSERT INTO servers VALUES (7)")
        writer.execute("BEGIN")
        writer.execute("INSERT INTO servers VALUES (8)")
        backup = make_backup(places, QUIET)
        writer.execute("ROLLBACK")
    extract(backup, "hub", tmp_path / "hub", QUIET)
    with closing(sqlite3.connect(tmp_path / "hub/hub/jupyterhub.sqlite")) as database:
        assert database.execute("SELECT id FROM servers").fetchall() == [(7,)]


def test_a_restored_hub_thinks_that_no_workspace_runs(places: Places, tmp_path: Path) -> None:
    """Beside its original it would otherwise stop the original's containers."""
    restore(make_backup(places, QUIET), tmp_path / "new", Changes({"name": "second", "port": 9999}), QUIET)
    with closing(sqlite3.connect(tmp_path / "new/hub/jupyterhub.sqlite")) as database:
        assert database.execute("SELECT server_id, state FROM spawners").fetchall() == [(None, "{}")]
    settings = read_settings(tmp_path / "new/twinhub.yaml")
    assert (settings.name, settings.port) == ("second", 9999)
    assert (tmp_path / "new/installation-name").read_text() == "second\n"


def test_damage_is_found_and_nothing_is_restored_by_half(places: Places, tmp_path: Path) -> None:
    """A disk that rots must be noticed before the server is lost, and never restored from in silence."""
    backup = make_backup(places, QUIET)
    rotten = next(e.sha256 for e in read_manifest(backup.folder) if e.names[-1] == b"plain.csv")
    backup.objects.path(rotten).write_bytes(b"a,b\n1,3\n")
    with pytest.raises(BackupDamaged, match=r"files/ada/data/plain\.csv has changed"):
        verify(backup, QUIET)
    with pytest.raises(BackupDamaged, match="nothing was restored"):
        restore(backup, tmp_path / "new", NOTHING, QUIET)
    assert [entry.name for entry in tmp_path.iterdir()] == ["data"]


def test_a_folder_with_something_in_it_is_never_restored_into(places: Places, tmp_path: Path) -> None:
    """One wrong --data-dir must not mix two installations."""
    backup = make_backup(places, QUIET)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    with pytest.raises(RestoreRefused, match="not empty"):
        restore(backup, tmp_path / "full", NOTHING, QUIET)
    assert (tmp_path / "full" / "mine").read_text() == "mine"


def test_old_backups_go_and_what_others_need_stays(places: Places) -> None:
    """Retention must not eat contents that a kept backup shares with a removed one."""
    (places.files / "ada/only-first").write_text("gone soon")
    first = make_backup(places, QUIET)
    only_first = next(entry.sha256 for entry in read_manifest(first.folder) if entry.names[-1] == b"only-first")
    (places.files / "ada/only-first").unlink()
    second = make_backup(places, QUIET)
    assert [backup.name for backup in list_backups(places.backups)] == [first.name, second.name]
    third = make_backup(places, QUIET, Wish(keep=2))
    assert [backup.name for backup in list_backups(places.backups)] == [second.name, third.name]
    assert verify(third, QUIET) == len(list(third.objects.digests()))
    assert not third.objects.path(only_first).exists()


def test_a_backup_into_the_folder_it_keeps_is_refused(places: Places) -> None:
    """It would hold itself, and itself again."""
    with pytest.raises(BackupRefused, match="lies in the data folder"):
        make_backup(places, QUIET, Wish(to=places.files / "ada"))


def test_what_a_killed_backup_left_is_not_trusted(places: Places) -> None:
    """After a loss of power a file may have its name and not its content."""
    made = make_backup(places, QUIET)
    digest = next(iter(made.objects.digests()))
    (places.backups / ".making-20200101T000000Z").mkdir()
    torn = made.objects.path("ab" * 32)
    torn.parent.mkdir(exist_ok=True)
    torn.write_bytes(b"")
    later = make_backup(places, QUIET)
    assert not torn.exists()
    assert later.objects.path(digest).exists()
    assert list(places.backups.glob(".making-*")) == []


def test_a_backup_can_be_entered_by_its_owner_only(places: Places) -> None:
    """It holds every secret."""
    make_backup(places, QUIET)
    open_to_others = [
        str(f) for f in places.backups.rglob("*") if f.lstat().st_mode & 0o077 and f.parent.stat().st_mode & 0o077
    ]
    assert places.backups.stat().st_mode & 0o077 == 0
    assert open_to_others == []


def test_the_summary_is_json_for_programs(places: Places) -> None:
    """Monitoring reads when the last backup was made."""
    backup = make_backup(places, QUIET)
    row = json.loads((backup.folder / "backup.json").read_text())
    assert row["format"] == 1
    assert row["entries"] == backup.entries


def forged(backup: Backup, where: str, **changes: object) -> Backup:
    """Give a backup whose manifest says something else of one entry, with its checksum made to fit."""
    rows = [json.loads(line) for line in gzip.decompress((backup.folder / manifest.MANIFEST).read_bytes()).splitlines()]
    for row in rows:
        if row["path"] == where:
            row.update(changes)
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (backup.folder / manifest.MANIFEST).write_bytes(gzip.compress(text.encode()))
    told = dataclasses.replace(backup, manifest=manifest.digest(backup.folder))
    write_summary(told)
    return told


@pytest.mark.parametrize("place", ["twinhub.yaml", "installation-name", "hub/cron", "secrets/key"])
def test_a_link_where_the_platform_keeps_its_own_is_refused(places: Places, tmp_path: Path, place: str) -> None:
    """Root restores: a backup from somebody else must not have it write to a file of the server."""
    victim = tmp_path / "victim"
    victim.write_text("port: 8000\n")
    (places.data_dir / place).symlink_to(victim)
    with pytest.raises(BackupDamaged, match="has a link at"):
        restore(make_backup(places, QUIET), tmp_path / "new", Changes({"name": "second"}), QUIET)
    assert victim.read_text() == "port: 8000\n"
    assert not (tmp_path / "new").exists()


def test_a_link_in_the_place_of_a_part_is_not_followed(places: Places, tmp_path: Path) -> None:
    """The settings are written aside first, and that place must not lead elsewhere either."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (places.data_dir / ".twinhub.yaml.part").symlink_to(victim)
    restore(make_backup(places, QUIET), tmp_path / "new", Changes({"port": 9999}), QUIET)
    assert victim.read_text() == "precious"
    assert read_settings(tmp_path / "new/twinhub.yaml").port == 9999


def test_a_further_name_is_never_looked_for_through_a_link(places: Places, tmp_path: Path) -> None:
    """A hard link to a file of the server, in somebody's folder, would give that file to them."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/shadow").write_text("precious")
    (places.files / "ada/away").symlink_to(tmp_path / "outside")
    backup = forged(make_backup(places, QUIET), "files/ada/data/plain.csv", same_as="files/ada/away/shadow")
    restore(backup, tmp_path / "new", NOTHING, QUIET)
    assert (tmp_path / "outside/shadow").stat().st_nlink == 1
    assert (tmp_path / "new/files/ada/data/plain.csv").read_text() == "a,b\n1,2\n"


def test_a_content_is_named_by_a_digest_and_nothing_else(places: Places, tmp_path: Path) -> None:
    """Anything else could be the path of a file of the server."""
    backup = forged(make_backup(places, QUIET), "files/ada/data/plain.csv", sha256="../../../etc/passwd")
    with pytest.raises(BackupDamaged, match="is no digest"):
        restore(backup, tmp_path / "new", NOTHING, QUIET)


def test_an_entry_without_its_folder_is_refused(places: Places, tmp_path: Path) -> None:
    """It would be written to the top, past what is checked there."""
    backup = forged(make_backup(places, QUIET), "files/ada", path="files/acc")
    with pytest.raises(BackupDamaged, match="without its folder"):
        restore(backup, tmp_path / "new", NOTHING, QUIET)


@pytest.mark.parametrize("damage", ["{", '{"format": 99}', "[]", ""])
def test_one_unreadable_backup_stops_no_other(places: Places, damage: str) -> None:
    """A torn summary, or one of a later version, must not end the daily backups nor hide the good ones."""
    good, torn = make_backup(places, QUIET), make_backup(places, QUIET)
    (torn.folder / "backup.json").write_text(damage)
    later = make_backup(places, QUIET)
    assert [backup.name for backup in list_backups(places.backups)] == [good.name, later.name]
    assert find_backup(places, "latest").name == later.name
    (said,) = list_unreadable(places.backups)
    assert torn.name in said
    shown = CliRunner().invoke(backup_list, ["--to", str(places.backups)], obj=places.data_dir)
    assert f"unreadable: {said}" in shown.stderr
    assert torn.name not in shown.stdout


@pytest.mark.parametrize("part", ["backup.json", "manifest.jsonl.gz"])
def test_nothing_is_swept_while_a_backup_is_unreadable(places: Places, part: str) -> None:
    """What it needs is not known, and it may be mended."""
    (places.files / "ada/only-here").write_text("precious")
    torn = make_backup(places, QUIET)
    contents = set(torn.objects.digests())
    (torn.folder / part).write_bytes(b"rotten")
    (places.files / "ada/only-here").unlink()
    verify(make_backup(places, QUIET), QUIET)
    assert sweep(places.backups) == 0
    assert contents <= set(torn.objects.digests())


@pytest.mark.parametrize("damage", ["rotten", "shorter", "lost"])
def test_a_damaged_content_is_whole_again_with_the_next_backup(places: Places, tmp_path: Path, damage: str) -> None:
    """'Make a new backup now' is what a verification advises; it has to help."""
    first = make_backup(places, QUIET)
    digest = next(e.sha256 for e in read_manifest(first.folder) if e.names[-1] == b"plain.csv")
    content = first.objects.path(digest)
    if damage == "lost":
        content.unlink()
    else:
        content.write_bytes(b"a,b\n1,3\n" if damage == "rotten" else b"a")
    with pytest.raises(BackupDamaged, match="plain"):
        verify(first, QUIET)
    second = make_backup(places, QUIET)
    verify(second, QUIET)
    verify(first, QUIET)
    restore(second, tmp_path / "new", NOTHING, QUIET)
    assert (tmp_path / "new/files/ada/data/plain.csv").read_text() == "a,b\n1,2\n"


def test_a_copy_of_a_file_does_not_lean_on_a_rotten_content(places: Places) -> None:
    """The same content comes again under another name, and must be kept as it is now."""
    first = make_backup(places, QUIET)
    digest = next(e.sha256 for e in read_manifest(first.folder) if e.names[-1] == b"plain.csv")
    first.objects.path(digest).write_bytes(b"a,b\n1,3\n")
    (places.files / "ada/copy.csv").write_text("a,b\n1,2\n")
    verify(make_backup(places, QUIET), QUIET)
