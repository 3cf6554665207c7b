"""WebSockets for devices that send one small message after the other, tens of thousands a second.

What is there whole, masked and unfragmented, which is nearly everything, is taken
out of what the network gave at once and handed on together. All else (handshake,
pings, fragments, frames that are too large or wrong) goes, frame by frame, the way
of uvicorn's own protocol, which knows every rule.
"""

from __future__ import annotations

import asyncio
import struct
from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import apply_mask  # type: ignore[attr-defined]  # in C where there is C, else in Python

WHOLE: Final = frozenset({0x81, 0x82})
"""First bytes of frames that are a message by themselves: text and bytes."""
MASKED: Final = 0x80
MIDDLE: Final = 126
LARGE: Final = 127
_two: Final = struct.Struct(">H").unpack_from
_eight: Final = struct.Struct(">Q").unpack_from


class QuickWebSocket(WebSocketsSansIOProtocol):
    """Gives the application `{"type": "websocket.receive", "frames": [bytes, …]}`; larger or odd ones come as `text` or `bytes`."""

    queue: asyncio.Queue[Any]
    _tail: bytes | bytearray = b""
    """The beginning of a frame that is not whole yet."""
    _need = 0
    """So many bytes of it are needed before looking again: a large frame in small pieces must not cost its square."""

    def data_received(self, data: bytes) -> None:
        """Take what the network gave."""
        if self.conn.parser_exc is not None:
            return  # it has been told, and nothing of it is read any more
        if not self.handshake_complete or self.close_sent:
            super().data_received(bytes(self._tail) + data)
            self._tail = b""
            return
        if self._tail:
            self._tail += data
            if len(self._tail) < self._need:
                return
            data = bytes(self._tail)
        self._tail = b""
        found: list[bytes] = []
        at, end = 0, len(data)
        while (frame := _frame_at(data, at, end)) is not None:
            start, stop = frame
            if stop - start > self.config.ws_max_size:
                # It is refused by its head alone, and the connection with it.
                self._hand_on(found)
                super().data_received(data[at:])
                return
            if stop > end:
                break
            if data[at] in WHOLE and data[at + 1] & MASKED and not self.frames:
                found.append(apply_mask(data[start:stop], data[start - 4 : start]))
            else:
                self._hand_on(found)
                found = []
                super().data_received(data[at:stop])
                if self.close_sent or self.transport.is_closing():
                    return
            at = stop
        self._tail = bytearray(data[at:]) if at < end else b""
        self._need = (frame[1] if frame is not None else end + 1) - at
        self._hand_on(found)

    def _hand_on(self, found: list[bytes]) -> None:
        if not found:
            return
        self.queue.put_nowait({"type": "websocket.receive", "frames": found})
        if not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()


def _frame_at(data: bytes, at: int, end: int) -> tuple[int, int] | None:
    """Give where a frame's content begins and ends, perhaps behind the end; None where its head is not whole."""
    if end - at < 2:
        return None
    second = data[at + 1]
    length = second & 0x7F
    start = at + 2
    if length == MIDDLE:
        if end - at < 4:
            return None
        length, start = _two(data, start)[0], at + 4
    elif length == LARGE:
        if end - at < 10:
            return None
        length, start = _eight(data, start)[0], at + 10
    if second & MASKED:
        start += 4
    return start, start + length
