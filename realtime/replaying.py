"""Recorded messages through a model again: the same messages give the same states, another version shows what would have been.

Nothing leaves a replay: what handlers send, raise and reply is counted and shown only.
What other twins had sent stands among the recorded messages of the one that received it.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Sequence
from itertools import groupby
from typing import Any, Final

import msgspec

from realtime.bundles import Loaded
from realtime.frames import Group, Item, decode_frame, decode_group
from realtime.outputs import Alert, DeadLetter, Output
from realtime.partition import Partition

MOST_SHOWN: Final = 1000
"""Of alerts, messages that were put aside, and differences; the rest is counted."""


class Recorded(msgspec.Struct, frozen=True, array_like=True):
    """A message as the history has it."""

    time_s: float
    instance: str
    content: bytes


class Recording(msgspec.Struct, frozen=True, array_like=True):
    """Messages of some instances from their beginning, in order of time."""

    messages: list[Recorded]
    until_s: float
    """Timers that are due by then have run."""


class Shown(msgspec.Struct, kw_only=True):
    """An alert, or a message that was put aside, of a replay."""

    instance: str
    time_s: float
    text: str
    key: str = ""
    severity: str = ""


class Replayed(msgspec.Struct, kw_only=True):
    """What a replay came to."""

    version: int
    states: dict[str, Any] = {}
    """By instance."""
    alerts: list[Shown] = []
    alert_count: int = 0
    refused: list[Shown] = []
    refused_count: int = 0
    messages: int = 0


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A field that is not the same."""

    instance: str
    field: str
    """'' where one side does not have the instance at all."""
    before: Any = None
    after: Any = None


class Replay:
    """Fresh partitions of one version, and what comes of what they are given."""

    def __init__(self, loaded: Loaded, *, partitions: int = 1) -> None:
        self._partitions = [Partition(loaded.model, loaded.tables, number=number) for number in range(partitions)]
        self._position = 0
        self._result = Replayed(version=loaded.version)

    async def play(self, recording: Recording) -> Replayed:
        """Handle recorded messages, those of one moment together, as they were."""
        for time_s, several in groupby(recording.messages, key=lambda one: one.time_s):
            items = tuple(Item(one.instance, one.content) for one in several)
            await self._apply(self._partitions[0], time_s, [Group(items)])
        await self._apply(self._partitions[0], recording.until_s, [])
        return self.result()

    async def play_frames(self, frames: AsyncIterable[tuple[int, bytes]]) -> Replayed:
        """Handle frames of the stream itself, with their positions; another version that one of them names is not loaded."""
        async for position, data in frames:
            self._position = position - 1
            frame = decode_frame(data)
            groups: dict[int, list[Group]] = {}
            for number, raw in frame.groups:
                groups.setdefault(number, []).append(decode_group(raw))
            for partition in self._partitions:
                self._position = position - 1
                await self._apply(partition, frame.time_s, groups.get(partition.number, []))
        return self.result()

    async def _apply(self, partition: Partition, time_s: float, groups: Sequence[Group]) -> None:
        self._position += 1
        self._result.messages += sum(len(group.items) for group in groups)
        self._note(await partition.apply(time_s, groups, self._position))

    def _note(self, outputs: Iterable[Output]) -> None:
        result = self._result
        for one in outputs:
            if isinstance(one, Alert):
                result.alert_count += 1
                if len(result.alerts) < MOST_SHOWN:
                    shown = Shown(
                        instance=one.instance, time_s=one.time_s, text=one.text, key=one.key, severity=one.severity
                    )
                    result.alerts.append(shown)
            elif isinstance(one, DeadLetter):
                result.refused_count += 1
                if len(result.refused) < MOST_SHOWN:
                    result.refused.append(Shown(instance=one.instance, time_s=one.time_s, text=one.reason))

    def result(self) -> Replayed:
        """Give what has come of it so far."""
        for partition in self._partitions:
            for name, twin in zip(partition.names, partition.twins, strict=True):
                self._result.states[name] = to_plain(twin)
        return self._result


def to_plain(state: Any) -> Any:
    """Give a state as JSON can hold it, so that states of two versions can be compared."""
    return msgspec.json.decode(msgspec.json.encode(state))


def compare(before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    """Name each field that is not the same, of instances in the order of their names."""
    found = list[Difference]()
    for instance in sorted(before.keys() | after.keys()):
        if instance not in before or instance not in after:
            found.append(
                Difference(instance=instance, field="", before=before.get(instance), after=after.get(instance))
            )
            continue
        one, other = before[instance], after[instance]
        for field in sorted(one.keys() | other.keys()):
            if one.get(field) != other.get(field):
                found.append(Difference(instance=instance, field=field, before=one.get(field), after=other.get(field)))
    return found
