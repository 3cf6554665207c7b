"""`python -m twinhub.operate.supervising`: supervisord, which here outlives a full disk.

As it comes, it tells its standard error of a log that it cannot write. Where
that is a file on the same full disk, the telling fails as well, supervisord
ends, and with it whatever would have brought the processes back.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from supervisor import loggers, supervisord

_emit: Final = loggers.RotatingFileHandler.emit


def ensure_endurance() -> None:
    """Set up every log of this process; may be called again."""
    loggers.Handler.handleError = _lose_line
    loggers.RotatingFileHandler.emit = _emit_or_lose


def _lose_line(_: Any) -> None:
    """Go on: what is on its way to a file stays in memory, a few kilobytes, and is written when there is room."""


def _emit_or_lose(handler: Any, record: Any) -> None:
    """Write a line and turn the file over where it is due; both may have to wait for the next line."""
    try:
        if handler.stream.closed:  # when it was turned over last, no new one could be made
            handler.stream = Path(handler.baseFilename).open("ab")  # noqa: SIM115 - it stays open
        _emit(handler, record)
    except OSError:
        return


if __name__ == "__main__":
    ensure_endurance()
    supervisord.main()
