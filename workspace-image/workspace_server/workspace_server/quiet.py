"""Keep tokens out of the log: tools log addresses, and WebSockets may carry a token in theirs."""

from __future__ import annotations

import logging
import re
from typing import Final

SECRET: Final = re.compile(r"(?i)\b(token|_xsrf|code|state)=[^&\s'\")]+")


class Redaction(logging.Filter):
    """Replace the values of telling parameters in every message."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record where it has something to hide; it is always logged."""
        message = record.getMessage()
        redacted = SECRET.sub(r"\1=[secret]", message)
        if redacted != message:
            record.msg, record.args = redacted, ()
        return True


def redact(log: logging.Logger) -> None:
    """Filter whatever the logger and those below it write."""
    for handler in (*log.handlers, *logging.getLogger().handlers):
        handler.addFilter(Redaction())
