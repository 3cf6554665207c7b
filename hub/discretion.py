"""Keep out of the log what nobody but its owner should read."""

from __future__ import annotations

import logging
from typing import Final

TELLS_COOKIES: Final = ("Setting new xsrf cookie for", "xsrf id mismatch")
"""JupyterHub 6.1.1 writes the id inside people's cookies into these lines."""


class _Discreet(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith(TELLS_COOKIES)


def keep_cookies_out_of_the_log() -> None:
    """Drop such lines."""
    logging.getLogger("tornado.application").addFilter(_Discreet())
