"""What a handler is given beside its state: the time, and all that it may bring about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import msgspec

from realtime.outputs import Alert, Event, Output, Reply, Send, Severity
from realtime.twin import Message

EMPTY: Final = b"{}"
encode: Final = msgspec.json.Encoder(enc_hook=str).encode
LARGEST_CONTENT: Final = 256 * 1024
"""Bytes of what one output carries."""
LONGEST_TEXT: Final = 4096


class Timers(Protocol):
    """Where timers are kept."""

    def start(self, instance: str, name: str, at_s: float, every_s: float | None) -> None:
        """Start one, or set it anew."""

    def stop(self, instance: str, name: str) -> None:
        """Stop one; nothing happens where there is none."""


class Context:
    """The circumstances of one call of a handler.

    Time is that of the message, never the clock's, so that tests and replays of the
    same messages give the same states.
    """

    __slots__ = ("_count", "_tables", "_timers", "instance", "model", "outputs", "place", "position", "time_s")

    def __init__(self, model: str, timers: Timers, tables: Mapping[str, Any]) -> None:
        self.model = model
        self.instance = ""
        """Id of the device."""
        self.time_s = 0.0
        """Seconds since 1970, UTC."""
        self._timers = timers
        self._tables = tables
        self.outputs: list[Output] = []
        """What was brought about since it was taken."""
        self.position = 0
        """Where what is handled stands: the frame's position in the stream…"""
        self.place = 0
        """… and the place among what the frame has for the partition."""
        self._count = 0

    @property
    def now(self) -> datetime:
        """The same time as a date."""
        return datetime.fromtimestamp(self.time_s, UTC)

    def reply(self, content: object) -> None:
        """Answer the device: a message, or anything that JSON can hold."""
        self.outputs.append(Reply(content=_carried(content), **self._about()))

    def send(self, model: type | str, instance: str, message: Message) -> None:
        """Send a message to another twin, which handles it as one of its device's."""
        name = model if isinstance(model, str) else model.__name__
        self.outputs.append(Send(to_model=name, to_instance=instance, content=_carried(message), **self._about()))

    def raise_alert(
        self, key: str, text: str, *, severity: Severity = Severity.WARNING, details: object = None
    ) -> None:
        """Tell a person; one key for one matter, so that rules can silence it and people acknowledge it."""
        about = EMPTY if details is None else _carried(details)
        self.outputs.append(
            Alert(key=key, severity=Severity(severity), text=text[:LONGEST_TEXT], details=about, **self._about())
        )

    def log_event(self, text: str, **details: object) -> None:
        """Write a line into the instance's own log."""
        self.outputs.append(Event(text=text[:LONGEST_TEXT], details=_carried(details), **self._about()))

    def start_timer(self, name: str, after_s: float, *, repeat: bool = False) -> None:
        """Call the method of that timer when so many seconds have passed, once or again and again; it begins anew where it runs."""
        if not after_s > 0:
            raise ValueError(f"timer '{name}': {after_s!r} s is no time to wait; give more than 0")
        self._timers.start(self.instance, name, self.time_s + after_s, float(after_s) if repeat else None)

    def stop_timer(self, name: str) -> None:
        """Stop one; nothing happens where it does not run."""
        self._timers.stop(self.instance, name)

    def table(self, name: str) -> Any:
        """Give slow data that was deployed with the model, such as a list of maintenance dates, by its name."""
        try:
            return self._tables[name]
        except KeyError:
            known = ", ".join(sorted(self._tables)) or "none"
            raise KeyError(f"there is no table '{name}'; deployed with the model: {known}") from None

    def _about(self) -> dict[str, Any]:
        self._count += 1
        return {
            "output_id": f"{self.position}.{self.place}.{self._count}",
            "model": self.model,
            "instance": self.instance,
            "time_s": self.time_s,
        }

    def take_outputs(self) -> list[Output]:
        """Give what was brought about since the last call."""
        taken, self.outputs, self._count = self.outputs, [], 0
        return taken


def _carried(content: object) -> bytes:
    data = encode(content)
    if len(data) > LARGEST_CONTENT:
        raise ValueError(f"{len(data)} bytes are too many to be carried; give at most {LARGEST_CONTENT}")
    return data
