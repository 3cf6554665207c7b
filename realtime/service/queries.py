"""Ask a model's workers about its instances, and put together what they say."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec
from nats.errors import Error as NatsError

from realtime.errors import QueryRefused, RealtimeError
from realtime.frames import partition_of
from realtime.queries import questions as wire
from realtime.queries.merging import as_object, merge_groups, merge_points, merge_rows
from realtime.service.errors import InstanceMissing
from realtime.service.spaces import Space, broker_errors
from realtime.wire import WorkerRecord

WAIT_S: Final = 2.0
"""So long workers have to answer."""
LONGEST_WAIT_S: Final = 15.0
"""So long they have that say now and then that they are at it."""
RECORD_AGE_S: Final = 0.5
"""So long it is believed which worker has which partitions."""
LARGEST_ANSWERS: Final = 48 * 1024 * 1024
"""Bytes that all workers together may answer a question with: they run their owner's code, and must not fill the service's memory."""
PARTS_OF_ONE: Final = 100
"""So many messages a worker may send for an answer, with those that say that it is at it."""
AT_ONCE: Final = 8
"""Questions of one owner; others wait."""
MOST_MATCHING: Final = 1000
LARGEST_MATCHING: Final = 4 * 1024 * 1024
Body = TypeVar("Body")


class WorkersAway(RealtimeError):
    """No worker answers for instances that are asked for."""

    code = "workers_away"
    status = 503


@dataclass
class Collected:
    """What workers said."""

    answers: list[wire.Answer]
    missing: list[int]
    """Partitions that none answered for."""
    took_ms: float = 0.0

    def bodies(self, kind: type[Body]) -> list[Body]:
        """Read the bodies of the answers; raises WorkersAway where one is not what was asked for."""
        try:
            return [msgspec.msgpack.decode(one.body, type=kind) for one in self.answers]
        except msgspec.DecodeError as error:
            raise _confused() from error

    def about(self) -> dict[str, Any]:
        """Give what every answer says of itself."""
        version = max((one.version for one in self.answers), default=0)
        return {"missing_partitions": self.missing, "version": version, "took_ms": round(self.took_ms, 1)}


@dataclass
class _Room:
    """What all answers to one question may take."""

    parts_left: int
    bytes_left: int = LARGEST_ANSWERS

    def take(self, data: bytes) -> None:
        """Count a message, whoever sent it and however little is in it; raises QueryRefused."""
        self.parts_left -= 1
        self.bytes_left -= len(data)
        if self.parts_left < 0 or self.bytes_left < 0:
            raise QueryRefused("The answer is too large.", "Ask for fewer instances or fields.")


class Queries:
    """Answers questions about models' instances."""

    def __init__(self, wait_s: float = WAIT_S) -> None:
        self._wait_s = wait_s
        self._room: dict[str, asyncio.Semaphore] = {}
        self._workers: dict[tuple[str, str], tuple[float, list[WorkerRecord]]] = {}

    # --- what is asked ------------------------------------------------------------------------

    async def instances(self, space: Space, model: str, question: wire.Listing) -> dict[str, Any]:
        """Give a page of instances."""
        found = await self.ask(space, model, question)
        rows = found.bodies(wire.Rows)
        return {**await _merged(lambda: merge_rows(question, rows)), **found.about()}

    async def aggregate(self, space: Space, model: str, question: wire.Aggregate) -> dict[str, Any]:
        """Give groups with their measures."""
        found = await self.ask(space, model, question)
        groups = found.bodies(wire.Groups)
        return {**await _merged(lambda: merge_groups(question, groups)), **found.about()}

    async def points(self, space: Space, model: str, question: wire.Points) -> dict[str, Any]:
        """Give points for a map."""
        found = await self.ask(space, model, question)
        places = found.bodies(wire.Places)
        return {**await _merged(lambda: merge_points(places, question.limit)), **found.about()}

    async def fields(self, space: Space, model: str) -> dict[str, Any]:
        """Give the fields of a model's state; raises WorkersAway where no worker can tell."""
        found = await self.ask(space, model, wire.Schema(), only_one=True)
        if not found.answers:
            raise _away(model)
        if len(found.answers[0].body) > wire.LARGEST_SCHEMA:
            raise _confused()
        return {"fields": found.bodies(wire.Known)[0].fields, "version": found.answers[0].version}

    async def instance(self, space: Space, model: str, instance: str) -> dict[str, Any]:
        """Give one instance in full; raises InstanceMissing, and WorkersAway where its partition has no worker."""
        found = await self.ask(space, model, wire.One(id=instance))
        if not found.answers:
            raise _away(model)
        state = found.bodies(wire.State | None)[0]  # type: ignore[arg-type]
        if not isinstance(state, wire.State):
            raise InstanceMissing(
                f"There is no instance '{instance[:100]}' of '{model}'.",
                "It appears with the first message of its device.",
            )
        return {
            "id": instance,
            "model": model,
            "version": found.answers[0].version,
            "partition": state.partition,
            "position": state.position,
            "time_s": state.time_s,
            "state": await _merged(lambda: as_object(state.state)),
        }

    async def matching(
        self, space: Space, model: str, where: str, *, limit: int = MOST_MATCHING
    ) -> tuple[list[tuple[str, dict[str, Any]]], bool]:
        """Give the first instances by id for which a condition holds, and whether there are more.

        Raises QueryRefused, and WorkersAway where a partition is missing: an instance that
        nobody was asked about is not one for which the condition does not hold.
        """
        question = wire.Listing(where=where, sort=[wire.Sort("id")], limit=min(limit, MOST_MATCHING))
        found = await self.ask(space, model, question)
        if found.missing:
            raise _away(model, found.missing)
        rows = found.bodies(wire.Rows)
        page = await _merged(lambda: merge_rows(question, rows))
        if sum(len(one["fields"]) for one in page["instances"]) > LARGEST_MATCHING:
            raise QueryRefused("What fulfils the condition is too large.", "Ask for fewer instances.")
        chosen = [(one["id"], msgspec.json.decode(one["fields"])) for one in page["instances"]]
        return chosen, page["total"] > len(chosen)

    async def check_where(self, space: Space, model: str, where: str) -> None:
        """Have a worker look at a condition; raises QueryRefused where it could not be asked, WorkersAway where none answers."""
        found = await self.ask(space, model, wire.Check(where=where), only_one=True)
        if not found.answers:
            raise _away(model)

    # --- asking -------------------------------------------------------------------------------

    async def ask(self, space: Space, model: str, question: wire.Question, *, only_one: bool = False) -> Collected:
        """Ask all workers, or any, or the one that has an instance; raises QueryRefused where one refuses the question."""
        began = time.perf_counter()
        record = await space.model(model)
        wanted = set(range(record.partitions))
        if isinstance(question, wire.One):
            wanted = {partition_of(question.id, record.partitions)}
        assigned = _assign(await self._known_workers(space, model), wanted)
        if only_one and assigned:
            name = next(iter(assigned))
            assigned, wanted = {name: assigned[name]}, set(assigned[name])
        async with self._room.setdefault(space.owner, asyncio.Semaphore(AT_ONCE)):
            answers = await self._collect(space, model, wire.Asked(question=question, partitions=assigned))
        for one in answers:
            if one.what:
                raise QueryRefused(one.what[:2000], one.fix[:4000])
        covered = {number for one in answers for number in one.partitions}
        if wanted - covered:
            self._workers.pop((space.owner, model), None)
        return Collected(answers, sorted(wanted - covered), (time.perf_counter() - began) * 1000)

    async def _known_workers(self, space: Space, model: str) -> list[WorkerRecord]:
        key = (space.owner, model)
        known = self._workers.get(key)
        if known is None or known[0] < time.monotonic():
            known = self._workers[key] = (time.monotonic() + RECORD_AGE_S, await space.workers(model))
            if len(self._workers) > 10_000:
                self._workers = {key: known}
        return known[1]

    async def _collect(self, space: Space, model: str, asked: wire.Asked) -> list[wire.Answer]:
        """Publish a question and wait until all have answered, or for as long as they may take."""
        waiting: dict[str, dict[int, wire.Part]] = {name: {} for name in asked.partitions}
        room = _Room(PARTS_OF_ONE * len(waiting))
        answers: dict[str, wire.Answer] = {}
        if not waiting:
            return []
        until = time.monotonic() + self._wait_s
        latest = time.monotonic() + max(self._wait_s, LONGEST_WAIT_S)
        with broker_errors():
            inbox = space.nc.new_inbox()
            subscription = await space.nc.subscribe(inbox, pending_bytes_limit=LARGEST_ANSWERS)
            await space.nc.publish(f"query.{model}", msgspec.msgpack.encode(asked), reply=inbox)
        try:
            while len(answers) < len(waiting) and (left_s := until - time.monotonic()) > 0:
                data = (await subscription.next_msg(left_s)).data
                room.take(data)
                part = msgspec.msgpack.decode(data, type=wire.Part)
                if part.count == 0 and part.worker in waiting:
                    until = min(time.monotonic() + self._wait_s, latest)
                elif part.worker in waiting and part.worker not in answers:
                    waiting[part.worker][part.number] = part
                    answer = wire.read_parts(waiting[part.worker])
                    if answer is not None:
                        answers[part.worker] = _trusted(answer, asked.partitions[part.worker])
        except (TimeoutError, NatsError):
            pass  # who has not answered by now is missing, also where the broker went away meanwhile
        except (msgspec.DecodeError, KeyError) as error:
            raise _confused() from error
        finally:
            await _leave(subscription)
        return list(answers.values())


def _assign(workers: list[WorkerRecord], wanted: set[int]) -> dict[str, list[int]]:
    """Give each partition to one worker that has it."""
    left, found = set(wanted), dict[str, list[int]]()
    for one in sorted(workers, key=lambda one: one.worker):
        mine = sorted(left.intersection(one.partitions))
        if mine:
            found[one.worker] = mine
            left.difference_update(mine)
    return found


def _trusted(answer: wire.Answer, given: list[int]) -> wire.Answer:
    """Believe a worker about the partitions only that it was asked for."""
    answer.partitions = sorted(set(answer.partitions) & set(given))
    return answer


async def _leave(subscription: Any) -> None:
    try:
        await subscription.unsubscribe()
    except NatsError:
        return  # the connection broke, and the subscription with it


async def _merged(merge: Callable[[], Body]) -> Body:
    """Merge in a thread, as there may be much; raises WorkersAway where what workers said does not fit together."""
    try:
        return await asyncio.to_thread(merge)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise _confused() from error


def _away(model: str, missing: list[int] | None = None) -> WorkersAway:
    about = f" for its partitions {', '.join(map(str, missing))}" if missing else ""
    return WorkersAway(
        f"No worker of '{model}' answers{about} just now.",
        f"It may be starting; see how it is with: realtime show {model}.",
    )


def _confused() -> WorkersAway:
    return WorkersAway(
        "A worker answered what cannot be read.", "Run the same version of Twinhub in workspaces and on the platform."
    )
