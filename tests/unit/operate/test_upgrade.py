"""A change of versions loses neither what it needs to go back nor what was there."""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from twinhub.operate.backup.catalogue import find_backup
from twinhub.operate.backup.making import Wish, make_backup
from twinhub.operate.report import Report
from twinhub.operate.upgrade import put_back
from twinhub.places import Places
from twinhub.settings import Settings

QUIET = Report(quiet=True)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """An installation with settings, a secret and a database."""
    for folder in ("secrets", "hub", "backups"):
        (tmp_path / folder).mkdir()
    (tmp_path / "backups").chmod(0o700)
    (tmp_path / "twinhub.yaml").write_text("port: 8000\n")
    (tmp_path / "secrets/session").write_text("before")
    with closing(sqlite3.connect(tmp_path / "hub/jupyterhub.sqlite")) as database, database:
        database.execute("CREATE TABLE users (name)")
    return Places(tmp_path, Settings())


def test_what_a_way_back_needs_outlives_failed_upgrades(places: Places) -> None:
    """Each failed upgrade keeps accounts too; none of that may cost the one that '--back' needs."""
    needed = make_backup(places, QUIET, Wish(only_accounts=True))
    for _ in range(5):
        make_backup(places, QUIET, Wish(only_accounts=True, pinned=needed.name))
    assert find_backup(places, needed.name) == needed


def test_putting_back_gives_what_was_kept(places: Places) -> None:
    """Settings, secrets and database, and nothing is left beside them."""
    kept = make_backup(places, QUIET, Wish(only_accounts=True))
    (places.data_dir / "secrets/session").write_text("today")
    (places.data_dir / "hub/today").touch()
    put_back(places, kept, database=True)
    assert (places.data_dir / "secrets/session").read_text() == "before"
    assert [file.name for file in (places.data_dir / "hub").iterdir()] == ["jupyterhub.sqlite"]
    assert list(places.data_dir.glob(".putting-back-*")) == []


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5, 6])
def test_putting_back_that_is_broken_off_leaves_everything_as_it_was(places: Places, at: int) -> None:
    """Whoever presses Ctrl-C at the wrong moment must not lose the database of today."""
    kept = make_backup(places, QUIET, Wish(only_accounts=True))
    (places.data_dir / "twinhub.yaml").write_text("port: 9000\n")
    (places.data_dir / "secrets/session").write_text("today")
    (places.data_dir / "hub/today").touch()
    moves: list[object] | None = []

    def break_off(event: str, arguments: tuple[object, ...]) -> None:
        if moves is not None and event == "os.rename" and str(places.data_dir) in str(arguments[0]):
            moves.append(arguments)
            if len(moves) == at:
                raise KeyboardInterrupt

    sys.addaudithook(break_off)
    with pytest.raises(KeyboardInterrupt):
        put_back(places, kept, database=True)
    moves = None
    assert (places.data_dir / "twinhub.yaml").read_text() == "port: 9000\n"
    assert (places.data_dir / "secrets/session").read_text() == "today"
    assert (places.data_dir / "hub/today").exists()
