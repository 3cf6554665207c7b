"""Instances of one model whose messages come by one part of the stream: pure, without clock, disk or network.

What it becomes depends on nothing but the frames that were applied, in their
order. So a snapshot with a position, and the frames behind that, give the same
state again; tests use the very same code.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

import msgspec

from realtime.context import Context
from realtime.model import Handler, Model
from realtime.outputs import DeadLetter, Output
from realtime.timers import TimerTable
from realtime.twin import Message, Twin

MISSING: Final = re.compile(r"required field `([^`]+)`")
PATH: Final = re.compile(r" - at `\$\.?([^`]*)`$")
LONGEST_KEPT: Final = 4096
"""So many bytes of a message that was refused are kept."""


class Item(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One message of a frame: to which instance, and what."""

    instance: str
    content: bytes


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """Messages that were written to the stream together, and the time that they have."""

    time_s: float
    items: tuple[Item, ...]


class Partition:
    """The instances, and what changes them."""

    def __init__(self, model: Model, tables: Mapping[str, Any] | None = None) -> None:
        self.model = model
        self.instances: dict[str, Twin] = {}
        self.position = 0
        """Of the last frame that was applied."""
        self.time_s = 0.0
        self.timers = TimerTable()
        self._tables = tables or {}
        self._context = Context(model.name, self.timers, self._tables)
        self._outputs: list[Output] = []

    # --- changing ---------------------------------------------------------------------------

    async def apply(self, frame: Frame, position: int) -> list[Output]:
        """Handle a frame, timers that were due before it first; give what came of it, in order."""
        self.position = position
        # Time never goes back: a frame written by a clock that was set back has the time of the one before.
        self.time_s = max(self.time_s, frame.time_s)
        index = await self._run_timers(self.time_s)
        if any(handler.batch or handler.waits for handler in self.model.handlers.values()):
            await self._handle_grouped(frame.items, index)
        else:
            self._handle_each(frame.items, index)
        outputs, self._outputs = self._outputs, []
        return outputs

    def _handle_each(self, items: Sequence[Item], index: int) -> None:
        """Handle messages one by one: the path that must be fast."""
        context, instances, decode = self._context, self.instances, self.model.decode
        calls = {kind: handler.call for kind, handler in self.model.handlers.items()}
        position = self.position
        context.time_s = self.time_s
        for place, item in enumerate(items, index):
            try:
                message = decode(item.content)
            except msgspec.DecodeError as error:
                self._refuse(item, place, error)
                continue
            name = item.instance
            twin = instances.get(name)
            if twin is None:
                twin = instances[name] = self.model.kind()
            context.instance, context.place = name, (position, place)
            try:
                calls[type(message)](twin, message, context)
            except Exception as error:
                self._fail(item.content, place, error)
            if context.has_outputs:
                self._outputs += context.take_outputs()

    async def _handle_grouped(self, items: Sequence[Item], index: int) -> None:
        """Handle what arrived for one instance together, as batches and asynchronous handlers ask for."""
        groups: dict[str, list[tuple[int, Item]]] = {}
        for place, item in enumerate(items, index):
            groups.setdefault(item.instance, []).append((place, item))
        for name, group in groups.items():
            read = [(place, item, message) for place, item in group if (message := self._read(item, place)) is not None]
            for kind, run in groupby(read, key=lambda one: type(one[2])):
                await self._handle_run(name, self.model.handlers[kind], list(run))

    async def _handle_run(self, name: str, handler: Handler, run: list[tuple[int, Item, Message]]) -> None:
        twin = self._twin(name)
        if handler.batch:
            await self._call(handler, name, run[0][0], run[0][1].content, (twin, [message for *_, message in run]))
            return
        for place, item, message in run:
            await self._call(handler, name, place, item.content, (twin, message))

    async def _run_timers(self, until_s: float) -> int:
        """Run what is due, each at its own time; give how many there were."""
        index = 0
        for index, timer in enumerate(self.timers.due(until_s), 1):
            handler = self.model.timers.get(timer.name)
            twin = self.instances.get(timer.instance)
            if handler is not None and twin is not None:
                await self._call(handler, timer.instance, index - 1, b"", (twin,), at_s=timer.at_s)
        return index

    async def _call(
        self, handler: Handler, name: str, place: int, content: bytes, given: tuple[Any, ...], *, at_s: float | None = None
    ) -> None:
        context = self._context
        context.instance, context.place = name, (self.position, place)
        context.time_s = self.time_s if at_s is None else at_s
        try:
            result = handler.call(*given, context)
            if isinstance(result, Awaitable):
                await result
        except Exception as error:
            self._fail(content, place, error)
        self._outputs += context.take_outputs()

    def _twin(self, name: str) -> Twin:
        twin = self.instances.get(name)
        if twin is None:
            twin = self.instances[name] = self.model.kind()
        return twin

    def _read(self, item: Item, place: int) -> Message | None:
        try:
            return self.model.decode(item.content)
        except msgspec.DecodeError as error:
            self._refuse(item, place, error)
            return None

    # --- what went wrong --------------------------------------------------------------------

    def _refuse(self, item: Item, place: int, error: msgspec.DecodeError) -> None:
        self._put_aside(item.instance, place, field_of(str(error)), str(error), item.content)

    def _fail(self, content: bytes, place: int, error: Exception) -> None:
        self._put_aside(self._context.instance, place, "", f"{type(error).__name__}: {error}", content)

    def _put_aside(self, instance: str, place: int, field: str, reason: str, content: bytes) -> None:
        letter = DeadLetter(
            output_id=f"{self.position}.{place}.0",
            model=self.model.name,
            instance=instance,
            time_s=self.time_s,
            field=field,
            reason=reason[:500],
            content=content[:LONGEST_KEPT],
        )
        self._outputs.append(letter)


def field_of(reason: str) -> str:
    """Find the field that msgspec's words are about, as `place.longitude`; '' where it is the whole message."""
    path, missing = PATH.search(reason), MISSING.search(reason)
    parts = [path[1] if path else "", missing[1] if missing else ""]
    return ".".join(part for part in parts if part)
