"""A worker's side of questions: keep columns, calculate, answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from operator import attrgetter
from typing import Any, Final

import msgspec
import polars as pl

from realtime.errors import QueryRefused
from realtime.model import Model
from realtime.partition import Partition
from realtime.queries import questions as wire
from realtime.queries.aggregating import aggregate, check_aggregate
from realtime.queries.columns import SLICE, Columns
from realtime.queries.fields import Field, Fields, Kind, builtin, read_fields
from realtime.queries.listing import listing, points
from realtime.queries.where import Condition, read_where

BUSY_S: Final = 0.7
"""So often who asked is told that the answer is being made."""
Tell = Callable[[bytes], Awaitable[None]]
_asked: Final = msgspec.msgpack.Decoder(wire.Asked)


class Answers:
    """Answers questions about the instances of a worker."""

    def __init__(self, worker: str) -> None:
        self.columns = Columns()
        self._worker = worker
        self._model: Model | None = None
        self._fields = Fields()
        # One at a time: polars looks at the columns themselves, which must not change meanwhile.
        self._lock = asyncio.Lock()

    async def answer(self, partitions: Sequence[Partition], data: bytes, tell: Tell | None = None) -> list[bytes]:
        """Answer a question for partitions that are up to date; nothing where this worker is not asked.

        While it takes long, as where columns are made first, `tell` is called with a message that says so.
        """
        try:
            asked = _asked.decode(data)
        except msgspec.DecodeError as error:
            return wire.encode_parts(self._worker, wire.Answer(what=f"The question cannot be read: {error}."))
        wanted = set(asked.partitions.get(self._worker, ()))
        mine = [one for one in partitions if one.number in wanted]
        if not mine:
            return []
        covered = sorted(one.number for one in mine)
        try:
            async with _telling(tell, wire.encode_busy(self._worker)):
                body = await self._body(asked, partitions, mine)
            answer = wire.Answer(
                partitions=covered, version=mine[0].version, body=msgspec.Raw(msgspec.msgpack.encode(body))
            )
        except QueryRefused as error:
            answer = wire.Answer(partitions=covered, what=error.what, fix=error.fix)
        except (RecursionError, pl.exceptions.PolarsError) as error:
            answer = wire.Answer(partitions=covered, what=f"The question cannot be calculated: {str(error)[:200]}.")
        return await asyncio.to_thread(wire.encode_parts, self._worker, answer)

    def forget_unused(self) -> None:
        """Give back the memory of columns that nobody asked for in a while."""
        if not self._lock.locked():
            self.columns.forget_unused()

    async def _body(self, asked: wire.Asked, all_of: Sequence[Partition], mine: Sequence[Partition]) -> Any:
        fields, question = self._known(mine[0].model), asked.question
        if isinstance(question, wire.One):
            return _state(question.id, mine)
        if isinstance(question, wire.Schema):
            return wire.Known(fields=[one.as_json() for one in fields.values()])
        condition = await asyncio.to_thread(read_where, question.where, fields, question.parameters)
        if isinstance(question, wire.Check):
            return None
        part = None if len(mine) == len(all_of) else [one.number for one in mine]
        async with self._lock:
            return await self._calculate(question, condition, all_of, part, final=len(asked.partitions) == 1)

    async def _calculate(
        self,
        question: wire.Listing | wire.Aggregate | wire.Points,
        condition: Condition | None,
        all_of: Sequence[Partition],
        part: Collection[int] | None,
        *,
        final: bool,
    ) -> Any:
        fields, columns = self._fields, self.columns
        needed = [*(condition.fields if condition else ())]
        if isinstance(question, wire.Aggregate):
            await columns.refresh(all_of, _each(needed + check_aggregate(question, fields)))
            return await asyncio.to_thread(
                aggregate, question, columns, condition, fields, partitions=part, final=final
            )
        if isinstance(question, wire.Points):
            about = [fields.find(name) for name in (question.x, question.y, *question.fields)]
            await columns.refresh(all_of, _each(needed + about))
            places, found = await asyncio.to_thread(points, question, columns, condition, about, partitions=part)
            return wire.Places(total=found.total, columns=found.columns, ids=await self._names(places))
        shown = _shown(question.fields, fields)
        by = [fields.find(one.field, " to sort by") for one in question.sort]
        await columns.refresh(all_of, _each(needed + by))
        rows = await asyncio.to_thread(listing, question, columns, condition, by, partitions=part, final=final)
        await self._fill(rows, shown)
        return rows

    def _known(self, model: Model) -> Fields:
        if model is not self._model:
            # Its columns go when they are refreshed: states of another version are another generation.
            self._model, self._fields = model, read_fields(model.kind)
        return self._fields

    async def _names(self, places: Sequence[int]) -> list[str]:
        found: list[str] = []
        for at in range(0, len(places), SLICE * 5):
            found += [self.columns.instance(place)[0] for place in places[at : at + SLICE * 5]]
            await asyncio.sleep(0)
        return found

    async def _fill(self, rows: wire.Rows, shown: list[Field]) -> None:
        """Give each row of a list its name and what is shown of it, as it is now."""
        size = 0
        for at, place in enumerate(rows.places):
            name, twin = self.columns.instance(place)
            rows.ids.append(name)
            rows.fields.append(msgspec.json.encode({one.name: _value(one, name, place, twin) for one in shown}))
            size += len(rows.fields[-1])
            if size > wire.LARGEST_PAGE:
                raise QueryRefused("The page is too large.", "Show fewer fields, or fewer instances at a time.")
            if at % 50 == 49:
                await asyncio.sleep(0)


@asynccontextmanager
async def _telling(tell: Tell | None, busy: bytes) -> AsyncIterator[None]:
    async def tell_again() -> None:
        while tell is not None:
            await asyncio.sleep(BUSY_S)
            await tell(busy)

    telling = asyncio.create_task(tell_again())
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


def _each(fields: Sequence[Field]) -> list[Field]:
    return list({one.name: one for one in fields}.values())


def _shown(names: Sequence[str] | None, fields: Fields) -> list[Field]:
    """Give the fields of a list; lists and dicts where they are named."""
    if names is None:
        return [one for one in fields.values() if one.path and not one.counted and one.kind is not Kind.NONE]
    return [found if (found := fields.get(name)) is not None else fields.find(name, " to show") for name in names]


def _value(field: Field, name: str, place: int, twin: Any) -> Any:
    if field.name in {"id", "partition"}:
        return name if field.name == "id" else place >> 40
    try:
        value = attrgetter(field.path or field.name)(twin)
        return len(value) if field.counted else builtin(value)
    except Exception:  # handlers may have set anything
        return None


def _state(instance: str, partitions: Sequence[Partition]) -> wire.State | None:
    for one in partitions:
        if instance in one.rows:
            state = msgspec.json.encode(one.get(instance), enc_hook=str)
            return wire.State(state=state, partition=one.number, position=one.position, time_s=one.time_s)
    return None
