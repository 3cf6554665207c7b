"""Instances to ask about, partitions of them, and ways to ask without a broker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any, TypeVar

import msgspec

from realtime import Context, Message, Twin, on_message, unit
from realtime.frames import Group, Item, partition_of
from realtime.model import read_model
from realtime.partition import Partition
from realtime.queries import questions as wire
from realtime.queries.answers import Answers

PARTITIONS = 4
Body = TypeVar("Body")


class Region(StrEnum):
    """Where a device stands."""

    NW = "NW"
    SE = "SE"
    MN = "MN"


class Place(msgspec.Struct):
    """A part of the state."""

    floor: int | None = None
    longitude: float = 0.0


class Seen(Message):
    """Everything about a device."""

    level: float | None = None
    count: int = 0
    region: Region = Region.NW
    label: str | None = None
    ok: bool = False
    floor: int | None = None
    day: date | None = None
    at: datetime | None = None


class Device(Twin):
    """One of a fleet, with a field of each kind."""

    level: Annotated[float | None, unit("m")] = None
    count: int = 0
    region: Region = Region.NW
    label: str | None = None
    ok: bool = False
    place: Place = msgspec.field(default_factory=Place)
    day: date | None = None
    at: datetime | None = None
    history: list[float] = []  # noqa: RUF012 - msgspec gives each instance its own

    @on_message(Seen)
    def see(self, message: Seen, context: Context) -> None:
        self.level, self.count, self.region, self.label = message.level, message.count, message.region, message.label
        self.ok, self.day, self.at, self.place.floor = message.ok, message.day, message.at, message.floor
        self.history.append(message.level or 0.0)


MODEL = read_model(Device)


def partitions(count: int = PARTITIONS) -> list[Partition]:
    """Make partitions without instances."""
    return [Partition(MODEL, number=number) for number in range(count)]


def tell(those: Sequence[Partition], **devices: dict[str, Any]) -> None:
    """Have messages of devices arrive."""

    async def apply() -> None:
        for name, content in devices.items():
            one = those[partition_of(name, len(those))]
            data = msgspec.json.encode(Seen(**content))
            await one.apply(1.0, (Group((Item(name, data),)),), one.position + 1)

    asyncio.run(apply())


def some_fleet(devices: int = 120) -> tuple[list[Partition], dict[str, dict[str, Any]]]:
    """Make partitions with devices that differ in everything, also in what they lack; give these too, by name."""
    told = {
        f"d{n}": {
            "level": None if n % 7 == 0 else (n * 37 % 101) / 4 - 10,
            "count": n * 13 % 17 - 5,
            "region": list(Region)[n % 3],
            "label": None if n % 5 == 0 else f"name {n % 11}",
            "ok": n % 4 == 0,
            "floor": None if n % 6 == 0 else n % 9,
            "day": None if n % 8 == 0 else date(2026, 1, 1 + n % 28),
            "at": datetime(2026, 1, 1, n % 24, n % 60, tzinfo=UTC),
        }
        for n in range(devices)
    }
    those = partitions()
    tell(those, **told)
    return those, told


async def ask_worker(
    answers: Answers, those: Sequence[Partition], question: wire.Question, assigned: dict[str, list[int]]
) -> wire.Answer | None:
    """Ask one worker; None where it does not answer."""
    data = msgspec.msgpack.encode(wire.Asked(question=question, partitions=assigned))
    parts = [msgspec.msgpack.decode(one, type=wire.Part) for one in await answers.answer(those, data)]
    return wire.read_parts({one.number: one for one in parts}) if parts else None


def bodies(question: wire.Question, kind: type[Body], those: Sequence[Partition], *, workers: int = 1) -> list[Body]:
    """Ask so many workers that share the partitions, and read what they say."""

    async def ask() -> list[Body]:
        shares = {f"w{at}": list(those)[at::workers] for at in range(workers)}
        assigned = {name: [one.number for one in share] for name, share in shares.items()}
        found = []
        for name, share in shares.items():
            answer = await ask_worker(Answers(name), share, question, assigned)
            assert answer is not None
            assert not answer.what, answer
            assert sorted(answer.partitions) == sorted(assigned[name])
            found.append(msgspec.msgpack.decode(answer.body, type=kind))
        return found

    return asyncio.run(ask())


def refusal(question: wire.Question, those: Sequence[Partition] | None = None) -> wire.Answer:
    """Give what a worker says to a question that it refuses."""
    some = those or partitions()

    async def ask() -> wire.Answer:
        answer = await ask_worker(Answers("w"), some, question, {"w": [one.number for one in some]})
        assert answer is not None
        assert answer.what, "it was not refused"
        return answer

    return asyncio.run(ask())
