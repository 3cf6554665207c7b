"""Workers run their owners' code: whatever they answer, the service stays upright and says what is missing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, cast

import msgspec
import pytest
from nats.errors import TimeoutError as NatsTimeout

from realtime.errors import QueryRefused
from realtime.queries import questions as wire
from realtime.service.errors import InstanceMissing
from realtime.service.queries import LARGEST_ANSWERS, Queries, WorkersAway
from realtime.service.spaces import Space
from realtime.wire import ModelRecord, WorkerRecord

Reply = Callable[[wire.Asked], list[bytes]]


class Inbox:
    """What came for a question."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[bytes] = asyncio.Queue()

    async def next_msg(self, timeout: float) -> Any:  # noqa: ASYNC109 - as the client has it
        try:
            data = await asyncio.wait_for(self.came.get(), timeout)
        except TimeoutError as error:
            raise NatsTimeout from error
        return type("Msg", (), {"data": data})

    async def unsubscribe(self) -> None:
        return


class Account:
    """An owner's place with a model of four partitions, whose workers answer as they are told to."""

    owner = "ann"

    def __init__(self, workers: dict[str, list[int]], reply: Reply) -> None:
        self._workers = workers
        self._reply = reply
        self._inbox = Inbox()
        self.nc = self

    def new_inbox(self) -> str:
        return "inbox"

    async def subscribe(self, inbox: str, **_: Any) -> Inbox:
        return self._inbox

    async def publish(self, subject: str, data: bytes, reply: str) -> None:
        assert (subject, reply) == ("query.M", "inbox")
        for one in self._reply(msgspec.msgpack.decode(data, type=wire.Asked)):
            self._inbox.came.put_nowait(one)

    async def model(self, name: str) -> ModelRecord:
        return ModelRecord(name=name, version=1, partitions=4)

    async def workers(self, name: str) -> list[WorkerRecord]:
        return [
            WorkerRecord(worker=worker, model=name, version=1, host="h", pid=1, partitions=those)
            for worker, those in self._workers.items()
        ]


def space(reply: Reply, **workers: list[int]) -> Space:
    return cast(Space, Account(workers or {"w": [0, 1, 2, 3]}, reply))


def counted(asked: wire.Asked, count: int = 5) -> list[bytes]:
    """Answer as workers do."""
    return [
        part for worker, those in asked.partitions.items() for part in wire.encode_parts(worker, _groups(those, count))
    ]


def _groups(those: list[int], count: int) -> wire.Answer:
    body = wire.Groups(instances=count, parts={"m0.n": [count]}, count=1, kinds=[""])
    return wire.Answer(partitions=those, version=1, body=msgspec.Raw(msgspec.msgpack.encode(body)))


def aggregate(of: Space, wait_s: float = 0.05) -> dict[str, Any]:
    return asyncio.run(Queries(wait_s).aggregate(of, "M", wire.Aggregate()))


def test_each_partition_is_asked_of_one_worker_though_two_have_it() -> None:
    """While it moves it would be counted twice."""
    asked: list[dict[str, list[int]]] = []

    def reply(question: wire.Asked) -> list[bytes]:
        asked.append(question.partitions)
        return counted(question)

    found = aggregate(space(reply, w1=[0, 1, 2], w2=[1, 2, 3]))
    assert asked == [{"w1": [0, 1, 2], "w2": [3]}]
    assert (found["instances"], found["missing_partitions"]) == (10, [])


def test_without_workers_all_partitions_are_missing_at_once() -> None:
    """A model that is switched off is no error, and its instances are not none."""
    began = time.monotonic()
    found = aggregate(space(counted, w1=[]), wait_s=60)
    assert (found["groups"], found["missing_partitions"]) == ([], [0, 1, 2, 3])
    assert time.monotonic() - began < 20


def test_partitions_that_a_worker_no_longer_has_are_missing_and_others_are_not_believed() -> None:
    """A worker speaks for what it was asked for, and only for that."""

    def reply(asked: wire.Asked) -> list[bytes]:
        return wire.encode_parts("w", _groups([1, 2, 77], 4))

    assert aggregate(space(reply, w=[0, 1, 2]))["missing_partitions"] == [0, 3]


def test_a_worker_that_says_it_is_at_it_is_waited_for() -> None:
    """Columns of a million instances take a second or two to make the first time."""

    async def ask() -> dict[str, Any]:
        account = space(lambda asked: [wire.encode_busy("w")])
        inbox = cast(Account, account)._inbox

        async def later() -> None:
            for _ in range(3):
                await asyncio.sleep(0.4)
                inbox.came.put_nowait(wire.encode_busy("w"))
            inbox.came.put_nowait(counted(wire.Asked(question=wire.Aggregate(), partitions={"w": [0, 1, 2, 3]}))[0])

        working = asyncio.create_task(later())
        found = await Queries(1.0).aggregate(account, "M", wire.Aggregate())
        await working
        return found

    assert asyncio.run(ask())["instances"] == 5


def _answer(**given: Any) -> Reply:
    return lambda asked: wire.encode_parts("w", wire.Answer(partitions=[0, 1, 2, 3], **given))


def _body(content: Any) -> Reply:
    return _answer(body=msgspec.Raw(msgspec.msgpack.encode(content)))


def _part(*part: Any) -> Reply:
    return lambda asked: [msgspec.msgpack.encode(part)]


CONFUSED: dict[str, Reply] = {
    "no part": lambda asked: [b"\xff\x00"],
    "no answer": _part("w", 0, 1, b"rubbish"),
    "a number that is none": _part("w", 7, 1, b""),
    "less than no parts": _part("w", 0, -1, b""),
    "another body": _body({"total": 1}),
    "no body": _answer(),
    "columns of several lengths": _body({"instances": 1, "keys": [], "parts": {"m0.n": []}, "count": 3}),
    "more groups than there can be": _body({"instances": 1, "count": 10**18}),
    "groups without columns": _body({"instances": 1, "keys": [[1]], "parts": {"m0.n": [1, 2]}, "count": 1}),
    "a text for a count": _body({"instances": 1, "parts": {"m0.n": ["x"]}, "count": 1}),
    "keys that nobody asked for": _body(
        {"instances": 1, "keys": [[1], [2]], "parts": {"m0.n": [1]}, "count": 1, "key_kinds": ["x"]}
    ),
    "many columns": _body({"instances": 1, "parts": {f"m{n}.n": [1] for n in range(200)}, "count": 1}),
}


@pytest.mark.parametrize("reply", CONFUSED.values(), ids=CONFUSED)
def test_an_answer_that_is_none_is_told_as_such(reply: Reply) -> None:
    """Never a traceback, and never figures made of rubbish."""
    with pytest.raises(WorkersAway):
        aggregate(space(reply))


def test_parts_of_others_and_too_much_are_not_taken() -> None:
    """A stranger's answer does not count, and an endless one is ended."""
    stranger = space(lambda asked: wire.encode_parts("stranger", _groups([0, 1, 2, 3], 9)))
    assert aggregate(stranger)["missing_partitions"] == [0, 1, 2, 3]
    piece = b"x" * (LARGEST_ANSWERS // 10)
    endless = space(lambda asked: [msgspec.msgpack.encode(("w", n, 10_000, piece)) for n in range(12)])
    with pytest.raises(QueryRefused):
        aggregate(endless, wait_s=10)
    empty = space(lambda asked: [msgspec.msgpack.encode(("w", n, 10_000, b"")) for n in range(1000)])
    with pytest.raises(QueryRefused):
        aggregate(empty, wait_s=10)


def test_workers_share_the_room_of_one_answer() -> None:
    """A hundred of one owner's workers would otherwise fill the service a hundred times."""
    piece = b"x" * (LARGEST_ANSWERS // 10)
    many = space(
        lambda asked: [msgspec.msgpack.encode((name, n, 10_000, piece)) for name in asked.partitions for n in range(6)],
        w1=[0, 1],
        w2=[2, 3],
    )
    with pytest.raises(QueryRefused):
        aggregate(many, wait_s=10)


@pytest.mark.parametrize("state", [b"", b"[1]", b"{", b"null", b'{"a": 1} and more'])
def test_a_state_that_is_no_json_object_is_not_passed_on(state: bytes) -> None:
    """It would break the whole answer."""
    reply = _body(wire.State(state=state, partition=1, position=1, time_s=1.0))
    with pytest.raises(WorkersAway):
        asyncio.run(Queries(0.05).instance(space(reply), "M", "a"))


def test_an_instance_that_is_not_there_is_missing_and_one_that_nobody_has_is_away() -> None:
    """The page says whether to wait for the device or for a worker."""
    with pytest.raises(InstanceMissing):
        asyncio.run(Queries(0.05).instance(space(_body(None)), "M", "a"))
    with pytest.raises(WorkersAway):
        asyncio.run(Queries(0.05).instance(space(counted, w=[]), "M", "a"))


def test_rules_never_take_silence_for_no_match() -> None:
    """An alert would be called resolved because a worker restarts."""
    with pytest.raises(WorkersAway):
        asyncio.run(Queries(0.05).matching(space(lambda asked: []), "M", "level > 1"))
    with pytest.raises(WorkersAway):
        asyncio.run(Queries(0.05).check_where(space(lambda asked: []), "M", "level > 1"))
