"""The hub's database: readers never wait for a writer, and one that has to wait too long is told so in words.

The hub is one thread, and SQLite makes it wait. So the wait is short; a request
that cannot be stored then is refused with 503 and may be sent again. Who asks is
known all the same: that somebody was active just now is not worth a refusal.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Any, Final

from jupyterhub.handlers.base import BaseHandler
from sqlalchemy import event
from sqlalchemy.engine import Engine, ExceptionContext
from sqlalchemy.exc import OperationalError
from tornado import web

WAIT_S: Final = 1.0
"""How long one statement waits for another process's write, and everybody with it."""
LEAVE_ALONE_S: Final = 5.0
"""For so long after a wait in vain, nobody's activity is noted."""

WORDS: Final = "The platform's database is busy or cannot be written. Nothing was changed. Try again in some seconds."


class DatabaseBusy(web.HTTPError, OperationalError):
    """The database could not be read or written just now.

    The hub rolls back for SQLAlchemy's error, and answers with the status of tornado's.
    """

    def __init__(self, statement: str | None, orig: BaseException) -> None:
        OperationalError.__init__(self, statement, None, orig)
        web.HTTPError.__init__(self, 503, "database: %s", str(orig))
        self.jupyterhub_message = WORDS
        self.headers = {"Retry-After": "5"}


PASSING: Final = ("database is locked", "database table is locked", "disk is full", "disk I/O error")
"""What SQLite says of troubles that end without anybody changing the database."""


def engine_arguments() -> dict[str, Any]:
    """Give what the hub passes to SQLAlchemy; no error of it shows what was to be stored, such as a password's hash."""
    return {"connect_args": {"check_same_thread": False, "timeout": WAIT_S}, "hide_parameters": True}


class _Patience:
    """Remember when the database was last found busy."""

    def __init__(self) -> None:
        self._until = 0.0

    def found_busy(self) -> None:
        self._until = time.monotonic() + LEAVE_ALONE_S

    @property
    def leave_alone(self) -> bool:
        return time.monotonic() < self._until


_patience: Final = _Patience()
_prepare: Final = BaseHandler.prepare
_record_activity: Final = BaseHandler._record_activity


def ensure_patience() -> None:
    """Set up every engine and every handler of this process; may be called again."""
    if not event.contains(Engine, "connect", _write_ahead):
        event.listen(Engine, "connect", _write_ahead)
        event.listen(Engine, "handle_error", _put_into_words)
    # The hub takes no other classes for these; its own handlers of every address inherit them.
    BaseHandler.prepare = _prepare_patiently
    BaseHandler._record_activity = _record_activity_unless_busy


def _write_ahead(connection: Any, _: Any) -> None:
    """Keep readers and the writer apart; the file remembers it."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA journal_mode=WAL")


def _put_into_words(context: ExceptionContext) -> None:
    error = context.original_exception
    if isinstance(error, sqlite3.OperationalError) and any(words in str(error) for words in PASSING):
        _patience.found_busy()
        raise DatabaseBusy(context.statement, error)


async def _prepare_patiently(handler: Any) -> None:
    """Find out who asks before the hub does, whose own answer to a busy database is that nobody is signed in."""
    try:
        await handler.get_current_user()
    except DatabaseBusy:
        handler.db.rollback()
        del handler._jupyterhub_user
        await handler.get_current_user()  # activity is not noted this time, so that it only reads
    except Exception:  # what else there is, the hub meets again itself, and logs
        del handler._jupyterhub_user
    await _prepare(handler)


def _record_activity_unless_busy(handler: Any, obj: Any, timestamp: Any = None) -> bool:
    return not _patience.leave_alone and bool(_record_activity(handler, obj, timestamp))
