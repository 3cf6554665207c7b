"""Logs of every process: one JSON object per line, bounded, with the request that it belongs to.

Whatever people send stays inside its field: line breaks, escape sequences and
anything that is not ASCII are escaped, and long values are cut.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final

LONGEST_MESSAGE: Final = 4000
LONGEST_FIELD: Final = 500
LONGEST_TRACEBACK: Final = 16_000
MOST_FIELDS: Final = 20
REQUEST_HEADER: Final = "X-Request-ID"
REQUEST_PATTERN: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
LEVELS: Final = ("debug", "info", "warning", "error", "critical")

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The request that is being answered; '' outside of one."""


def new_request_id(given: str | None) -> str:
    """Take over the name that another part of ours gave a request, or make one."""
    return given if given and REQUEST_PATTERN.fullmatch(given) else secrets.token_hex(8)


def fields(**values: Any) -> dict[str, dict[str, Any]]:
    """Give `extra` for a line with fields: `log.info("stopped", extra=fields(owner=name))`."""
    return {"fields": values}


class JsonLines(logging.Formatter):
    """Format records as lines of JSON."""

    def __init__(self, part: str, **_: Any) -> None:
        """Further options are those of ordinary formatters, which frameworks pass on; none applies."""
        super().__init__()
        self._part = part

    def format(self, record: logging.LogRecord) -> str:
        """Give one line."""
        row: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "part": self._part,
            "message": cut(_message(record), LONGEST_MESSAGE),
        }
        if record.name not in ("root", self._part):
            row["logger"] = record.name
        if request_id.get():
            row["request"] = request_id.get()
        given = getattr(record, "fields", None)
        if isinstance(given, dict):
            row |= {str(name): _bounded(value) for name, value in list(given.items())[:MOST_FIELDS] if name not in row}
        if record.exc_info and record.exc_info[0] is not None:
            row["traceback"] = _tail(self.formatException(record.exc_info), LONGEST_TRACEBACK)
        return json.dumps(row)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # a library's own mistake must not lose the line
        return f"{record.msg} {record.args}"


def _bounded(value: Any) -> Any:
    return value if isinstance(value, bool | int | float) or value is None else cut(str(value), LONGEST_FIELD)


def cut(text: str, length: int) -> str:
    """Give at most so many characters, and say that there were more."""
    return text if len(text) <= length else f"{text[:length]}… ({len(text)} characters)"


def _tail(text: str, length: int) -> str:
    return text if len(text) <= length else f"… {text[-length:]}"


def configure_logging(part: str, level: str = "info") -> None:
    """Send everything that this process logs to its standard error, as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(part))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    for chatty in ("httpx2", "httpcore2", "httpcore", "websockets"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))
    logging.captureWarnings(True)
