"""What all descriptions share: their one failure, words that are safe to show, and bounded reading."""

from __future__ import annotations

import os
import re
from typing import Final

from twinhub.errors import PublicError

_UNSHOWABLE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]"
)
"""Controls, halves of surrogate pairs, which no answer can carry, and marks that make text run backwards."""


class DescriptionUnreadable(PublicError):
    """The asset is there and can be fetched, but what it says about itself cannot be read."""

    code = "description_unreadable"
    status = 422


def showable(text: str, longest: int) -> str:
    """Make a stranger's text safe to show: without controls, and cut with an ellipsis after `longest` characters."""
    # One more than shown is looked at, so that cleaning costs nothing for text that is far too long.
    clean = _UNSHOWABLE.sub("", text[: longest + 1])
    return clean[: longest - 1] + "…" if len(text) > longest else clean


def one_line(text: str, longest: int) -> str:
    """Make a stranger's text one showable line with single spaces."""
    return showable(" ".join(text[: 4 * longest].split()), longest)


def lines_of(text: str) -> list[str]:
    """Split a text where editors and the csv module do, and not at the rarer ends that `str.splitlines` knows."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines if lines[-1] else lines[:-1]


def read_at(descriptor: int, offset: int, size: int) -> bytes:
    """Read up to `size` bytes at an offset, fewer only at the end of the file; the descriptor's own position stays."""
    parts = []
    while size > 0:
        part = os.pread(descriptor, size, offset)
        if not part:
            break
        parts.append(part)
        offset += len(part)
        size -= len(part)
    return b"".join(parts)
