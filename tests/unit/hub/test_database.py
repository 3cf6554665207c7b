"""A database that another process holds: reading goes on, writing is refused soon and in words."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from jupyterhub import orm
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from tornado.web import HTTPError

from hub import database


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """The hub's own session on a database of its own."""
    database.ensure_patience()
    factory = orm.new_session_factory(f"sqlite:///{tmp_path / 'hub.sqlite'}", **database.engine_arguments())
    with closing(factory()) as opened:
        opened.add(orm.User(name="marie"))
        opened.commit()
        yield opened
        opened.get_bind().dispose()


@pytest.fixture
def holder(session: Session, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Another process's connection that holds the database for itself."""
    with closing(sqlite3.connect(tmp_path / "hub.sqlite", isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield connection


def test_reading_goes_on_while_another_process_writes(session: Session, holder: sqlite3.Connection) -> None:
    """A backup or a command of the operator must not sign everybody out."""
    started = time.monotonic()
    assert [user.name for user in session.query(orm.User)] == ["marie"]
    assert time.monotonic() - started < database.WAIT_S


def test_writing_is_refused_soon_as_what_tornado_and_sqlalchemy_both_know(
    session: Session, holder: sqlite3.Connection
) -> None:
    """The hub must roll back, and answer 503 with words; its default is a 500 after five seconds in which all wait."""
    started = time.monotonic()
    session.add(orm.User(name="pierre"))
    with pytest.raises(database.DatabaseBusy) as refused:
        session.commit()
    assert time.monotonic() - started < database.WAIT_S + 1
    assert isinstance(refused.value, OperationalError)
    assert isinstance(refused.value, HTTPError)
    assert refused.value.status_code == 503
    assert "locked" in str(refused.value)
    assert "Try again" in refused.value.jupyterhub_message


def test_writing_works_again_when_the_database_is_free(session: Session, holder: sqlite3.Connection) -> None:
    """One refusal must not leave the hub's only session broken."""
    session.add(orm.User(name="pierre"))
    with pytest.raises(database.DatabaseBusy):
        session.commit()
    session.rollback()
    holder.execute("ROLLBACK")
    session.add(orm.User(name="pierre"))
    session.commit()
    assert session.query(orm.User).count() == 2


def test_a_mistake_in_a_statement_stays_a_bug(session: Session) -> None:
    """Only troubles that pass are put off with 'try again'."""
    with pytest.raises(OperationalError) as raised:
        session.connection().exec_driver_sql("SELECT * FROM nothing")
    assert not isinstance(raised.value, HTTPError)
