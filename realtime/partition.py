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

from realtime.changes import Changes, Follower
from realtime.context import Context
from realtime.frames import Group, Item
from realtime.migration import migrate
from realtime.model import Handler, Model
from realtime.outputs import DeadLetter, Output
from realtime.places import Cells
from realtime.timers import TimerTable
from realtime.twin import Message, Twin

MISSING: Final = re.compile(r"required field `([^`]+)`")
PATH: Final = re.compile(r" - at `\$\.?([^`]*)`$")
LONGEST_KEPT: Final = 4096
"""So many bytes of a message that was refused are kept."""


_shared_rows: list[int] = []
"""Row numbers, the same objects for all partitions: a million of their own would take 32 MB."""


def _row(number: int) -> int:
    if len(_shared_rows) <= number:
        _shared_rows.extend(range(len(_shared_rows), number + 1))
    return _shared_rows[number]


class Partition:
    """The instances, and what changes them."""

    def __init__(self, model: Model, tables: Mapping[str, Any] | None = None, *, number: int = 0) -> None:
        self.number = number
        self.rows: dict[str, int] = {}
        """Where each instance stands in `names` and `twins`."""
        self.names: list[str] = []
        self.twins: list[Twin] = []
        self.heard: dict[str, int] = {}
        """Position of the last message that was handled, by its source."""
        self.position = 0
        """Of the last frame that was applied."""
        self.time_s = 0.0
        self.timers = TimerTable()
        self.version = 0
        """Of the model; 0 before any was deployed."""
        self.touched = 0
        """Grows with each frame that may have changed something beside the position."""
        self.generation = 0
        """Grows whenever all states were replaced by others, and whoever mirrors them must begin anew."""
        self.where: Cells = [0, 0, 0]
        """Partition, position and place of what is being handled: told to whoever asks why a process ended."""
        self.left_out: Mapping[int, frozenset[int]] = {}
        """Places, by position, of what must not be handled, as it ended processes."""
        self._outputs: list[Output] = []
        self._changes = Changes()
        self._use(model, tables or {})

    def _use(self, model: Model, tables: Mapping[str, Any]) -> None:
        self.model = model
        self._context = Context(model.name, self.timers, tables)
        self._grouped = any(handler.batch or handler.waits for handler in model.handlers.values())

    # --- reading ----------------------------------------------------------------------------

    def get(self, instance: str) -> Twin:
        """Give the state of an instance; raises KeyError where no message has made it yet."""
        return self.twins[self.rows[instance]]

    def follow(self) -> Follower:
        """Begin to note which rows change, for one who asks now and then."""
        return Follower(self._changes)

    def restore(self, names: list[str], twins: list[Twin]) -> None:
        """Take over instances of a snapshot, in the order in which they appeared."""
        self.names, self.twins = names, twins
        _row(len(names))
        self.rows = dict(zip(names, _shared_rows, strict=False))
        self.generation += 1

    def switch(self, model: Model, tables: Mapping[str, Any], version: int) -> None:
        """Go on with another version; raises ModelRefused, and goes on with this one, where a state does not fit it."""
        self.twins = migrate(self.twins, model)
        self.version = version
        self._use(model, tables)
        self.generation += 1
        self.touched += 1

    # --- changing ---------------------------------------------------------------------------

    async def apply(self, time_s: float, groups: Sequence[Group], position: int) -> list[Output]:
        """Handle what a frame has for this partition, timers that were due before it first; give what came of it, in order."""
        self.position = position
        self.touched += 1
        # Time never goes back: a frame written by a clock that was set back has the time of the one before.
        self.time_s = max(self.time_s, time_s)
        self.where[0], self.where[1], self.where[2] = self.number, position, 0
        index = await self._run_timers(self.time_s)
        for group in groups:
            items = self._unheard(group) if group.source else group.items
            if self._grouped:
                await self._handle_grouped(items, index)
            else:
                self._handle_each(items, index)
            index += len(items)
        self.where[1] = 0
        outputs, self._outputs = self._outputs, []
        return outputs

    def pass_by(self, time_s: float, position: int) -> bool:
        """Count a frame that has nothing for this partition as applied; tell whether that is all there is to do."""
        due_s = self.timers.next_s()
        if due_s is not None and due_s <= max(self.time_s, time_s):
            return False
        self.position = position
        self.time_s = max(self.time_s, time_s)
        return True

    def _unheard(self, group: Group) -> Sequence[Item]:
        """Leave out what this source has sent before: after a crash it sends again what it may have sent."""
        heard = self.heard.get(group.source, -1)
        new = [item for item, position in zip(group.items, group.positions, strict=True) if position > heard]
        self.heard[group.source] = max((heard, *group.positions))
        return new

    def _handle_each(self, items: Sequence[Item], index: int) -> None:
        """Handle messages one by one: the path that must be fast."""
        context, rows, twins, decode = self._context, self.rows, self.twins, self.model.decode
        calls = {kind: handler.call for kind, handler in self.model.handlers.items()}
        position, where = self.position, self.where
        changed: set[int] = set()
        left_out = self.left_out.get(position, ())
        context.time_s = self.time_s
        context.position = position
        for place, item in enumerate(items, index):
            name = item.instance
            if left_out and place in left_out:
                self._leave_out(name, place, item.content)
                continue
            try:
                message = decode(item.content)
            except msgspec.DecodeError as error:
                self._refuse(item, place, error)
                continue
            row = rows.get(name)
            if row is None:
                row = self._new(name)
            changed.add(row)
            context.instance = name
            context.place = where[2] = place
            try:
                calls[type(message)](twins[row], message, context)
            except Exception as error:
                self._fail(item.content, place, error)
            if context.outputs:
                self._outputs += context.take_outputs()
        self._changes.note(changed)

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
        left_out = self.left_out.get(self.position, ())
        if left_out and handler.batch and run[0][0] in left_out:
            # Which message of a batch ended the process, nobody can know.
            for place, item, _ in run:
                self._leave_out(name, place, item.content)
            return
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
            row = self.rows.get(timer.instance)
            if handler is not None and row is not None:
                self._changes.note({row})
                twin = self.twins[row]
                await self._call(handler, timer.instance, index - 1, b"", (twin,), at_s=timer.at_s)
        return index

    async def _call(
        self,
        handler: Handler,
        name: str,
        place: int,
        content: bytes,
        given: tuple[Any, ...],
        *,
        at_s: float | None = None,
    ) -> None:
        if place in self.left_out.get(self.position, ()):
            self._leave_out(name, place, content)
            return
        context = self._context
        context.instance, context.position = name, self.position
        context.place = self.where[2] = place
        context.time_s = self.time_s if at_s is None else at_s
        try:
            result = handler.call(*given, context)
            if isinstance(result, Awaitable):
                await result
        except Exception as error:
            self._fail(content, place, error)
        self._outputs += context.take_outputs()

    def _twin(self, name: str) -> Twin:
        row = self.rows.get(name)
        if row is None:
            row = self._new(name)
        self._changes.note({row})
        return self.twins[row]

    def _new(self, name: str) -> int:
        row = self.rows[name] = _row(len(self.twins))
        self.names.append(name)
        self.twins.append(self.model.kind())
        return row

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

    def _leave_out(self, instance: str, place: int, content: bytes) -> None:
        self._put_aside(
            instance, place, "", "left out: its handler ended, or stopped, the worker again and again", content
        )

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
