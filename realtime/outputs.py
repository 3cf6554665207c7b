"""What handlers bring about beside changing their state.

Each has an id that is the same whenever the same message is handled, so whoever
receives one twice, after a crash, can tell.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """How soon somebody should look."""

    NOTE = "note"
    WARNING = "warning"
    CRITICAL = "critical"


class Output(msgspec.Struct, kw_only=True, frozen=True, tag=True):
    """Anything that leaves an instance: which, of which model, and when by its time, in seconds since 1970."""

    output_id: str
    model: str
    instance: str
    time_s: float


class Reply(Output, frozen=True):
    """An answer to the device."""

    content: bytes
    """JSON."""


class Send(Output, frozen=True):
    """A message to another twin."""

    to_model: str
    to_instance: str
    content: bytes
    """JSON."""


class Alert(Output, frozen=True):
    """Something that a person should look at; alerts of one `key` of an instance are one matter."""

    key: str
    severity: Severity
    text: str
    details: bytes
    """JSON."""


class Event(Output, frozen=True):
    """A line of an instance's own log."""

    text: str
    details: bytes
    """JSON."""


class DeadLetter(Output, frozen=True):
    """A message that was not handled, and why; `field` is the path of what does not fit, '' where it is none."""

    field: str
    reason: str
    content: bytes
    again: bool = True
    """Whether the instance that it names could be given it again: not what was for another one, or for none."""
