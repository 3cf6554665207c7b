"""Messages that come as lines or as a list, of which some may not fit: those are told by their number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from realtime.errors import MessageRefused, RealtimeError
from realtime.service.messages import Pair, read_line
from realtime.wire import LARGEST_MESSAGE

TOLD: Final = 100
"""So many errors are told; the others are counted."""
TOGETHER: Final = 2048
TOGETHER_BYTES: Final = 256 * 1024
LONGEST_LINE: Final = LARGEST_MESSAGE + 2048
_raws: Final = msgspec.json.Decoder(list[msgspec.Raw])


class Lines:
    """Cuts a stream into messages, keeping no more of it than one line and one batch."""

    def __init__(self) -> None:
        self.refused = 0
        self.errors: list[dict[str, Any]] = []
        self._rest = b""
        self._number = 0
        self._skipping = False
        self._items: list[Pair] = []
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[list[Pair]]:
        """Take the next part of the stream; give batches that are complete."""
        *lines, rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._take(line)
            if len(self._items) >= TOGETHER or self._size >= TOGETHER_BYTES:
                yield self._batch()
        if len(rest) > LONGEST_LINE:
            # The rest of a line that is too long is thrown away as it comes; only that it was there is kept.
            self._skipping, rest = True, b""
        self._rest = rest

    def end(self) -> Iterator[list[Pair]]:
        """Give what is left when the stream has ended."""
        if self._rest or self._skipping:
            self._take(self._rest)
        if self._items:
            yield self._batch()

    def _take(self, line: bytes) -> None:
        self._number += 1
        if self._skipping or len(line) > LONGEST_LINE:
            self._skipping = False
            self._refuse(MessageRefused(f"The line has more than {LONGEST_LINE} bytes.", "Send shorter messages."))
            return
        if not line.strip():
            return
        try:
            pair = read_line(line)
        except RealtimeError as error:
            self._refuse(error)
            return
        self._items.append(pair)
        self._size += len(pair[1])

    def _refuse(self, error: RealtimeError) -> None:
        self.refused += 1
        if len(self.errors) < TOLD:
            self.errors.append({"line": self._number, **error.as_json()})

    def _batch(self) -> list[Pair]:
        items, self._items, self._size = self._items, [], 0
        return items


def read_list(data: bytes) -> tuple[list[Pair], int, list[dict[str, Any]]]:
    """Read a list of which some do not fit: give those that do, how many do not, and why the first of these do not.

    Raises MessageRefused where it is no list at all.
    """
    try:
        raws = _raws.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MessageRefused(
            f"What was sent is no JSON list: {str(error)[:300]}",
            'Send [{"id": "…", "message": {…}}, …], or lines of these with Content-Type: application/x-ndjson.',
        ) from error
    items: list[Pair] = []
    errors: list[dict[str, Any]] = []
    for number, raw in enumerate(raws, 1):
        try:
            items.append(read_line(bytes(raw)))
        except RealtimeError as error:
            if len(errors) < TOLD:
                errors.append({"line": number, **error.as_json()})
    return items, len(raws) - len(items), errors
