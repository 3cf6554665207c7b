"""Streams ask once however many watch, push only what changed, and end with their watchers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import aclosing
from typing import Any

import pytest

from realtime.service.errors import BadRequest, Busy, InstanceMissing
from realtime.service.queries import WorkersAway
from realtime.service.queries_dashboards import read_dashboard
from realtime.service.queries_streams import HEARTBEAT, MOST_GROUPS, MOST_STREAMS, Streams


def run(work: Coroutine[Any, Any, None]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(10):
            await work

    asyncio.run(limited())


def groups(**counts: int) -> dict[str, Any]:
    """Make an answer."""
    some = [{"key": [name], "values": {"count": count}} for name, count in counts.items()]
    return {"groups": some, "instances": sum(counts.values()), "missing_partitions": []}


class Asked:
    """Answers one after the other; the last one for ever. An answer is given when it is let go."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.count = 0
        self._next = asyncio.Semaphore(1)

    def go_on(self) -> None:
        """Give the next one."""
        self._next.release()

    async def __call__(self) -> dict[str, Any]:
        await self._next.acquire()
        self.count += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        found: dict[str, Any] = answer
        return found


async def event(stream: AsyncIterator[bytes]) -> tuple[str, Any]:
    """Read one event."""
    text = (await anext(stream)).decode()
    assert text.endswith("\n\n")
    name, data = text.strip().split("\n")
    return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def test_only_groups_that_changed_are_pushed() -> None:
    """A dashboard of a thousand groups, of which one changes each second, costs next to nothing."""

    async def watch() -> None:
        ask = Asked(groups(a=1, b=2), groups(a=1, b=2), groups(a=1, b=3, c=1), groups(b=3, c=1))
        async with aclosing(Streams().groups("ann", "k", ask, 0.001)) as stream:
            _, first = await event(stream)
            assert (first["reset"], len(first["set"]), first["order"]) == (True, 2, [["a"], ["b"]])
            ask.go_on()
            assert await anext(stream) == HEARTBEAT
            ask.go_on()
            _, second = await event(stream)
            assert [one["key"] for one in second["set"]] == [["b"], ["c"]]
            assert (second["reset"], second["removed"], second["instances"]) == (False, [], 5)
            ask.go_on()
            _, third = await event(stream)
            assert (third["set"], third["removed"]) == ([], [["a"]])

    run(watch())


def test_a_question_is_asked_once_for_all_who_watch_and_not_when_nobody_does() -> None:
    """Twenty people at one page must not cost twenty times as much, nor anything when they went home."""

    async def watch() -> None:
        streams, ask = Streams(), Asked(groups(a=1), groups(a=2))
        watching = [streams.groups(f"p{n}", "k", ask, 0.001) for n in range(20)]
        for stream in watching:
            assert (await event(stream))[1]["reset"]
        assert ask.count == 1
        ask.go_on()
        for stream in watching:
            assert (await event(stream))[1]["set"][0]["values"] == {"count": 2}
        assert ask.count == 2
        for stream in watching:
            await stream.aclose()  # type: ignore[attr-defined]
        for _ in range(100):
            ask.go_on()
            await asyncio.sleep(0)
        assert ask.count == 2

    run(watch())


def test_who_comes_later_is_sent_all_and_who_slept_what_they_missed() -> None:
    """Each page shows the present, whenever it was opened."""

    async def watch() -> None:
        streams, ask = Streams(), Asked(groups(a=1), groups(a=2), groups(a=1, b=1))
        first = streams.groups("ann", "k", ask, 0.001)
        await event(first)
        second = streams.groups("bob", "k", ask, 0.001)
        assert (await event(second))[1]["reset"]
        for _ in range(2):
            ask.go_on()
            while (await anext(second)) == HEARTBEAT:
                pass
        _, missed = await event(first)
        assert [one["key"] for one in missed["set"]] == [["b"]]
        await first.aclose()  # type: ignore[attr-defined]
        await second.aclose()  # type: ignore[attr-defined]

    run(watch())


def test_trouble_is_told_once_and_all_is_sent_anew_after_it() -> None:
    """Numbers from before must not stand there as if they were of now."""

    async def watch() -> None:
        away = WorkersAway("No worker answers.", "Wait.")
        ask = Asked(groups(a=1), away, away, groups(a=1))
        async with aclosing(Streams().groups("ann", "k", ask, 0.001)) as stream:
            await event(stream)
            ask.go_on()
            name, content = await event(stream)
            assert (name, content["error"]["code"]) == ("trouble", "workers_away")
            ask.go_on()
            assert await anext(stream) == HEARTBEAT
            ask.go_on()
            name, content = await event(stream)
            assert (name, content["reset"], len(content["set"])) == ("groups", True, 1)

    run(watch())


def test_a_bug_of_ours_does_not_end_the_stream(caplog: pytest.LogCaptureFixture) -> None:
    """The question is asked again, and the log says why."""

    async def watch() -> None:
        ask = Asked(ZeroDivisionError("oops"), groups(a=1))
        async with aclosing(Streams().groups("ann", "k", ask, 0.001)) as stream:
            name, content = await event(stream)
            assert (name, content["error"]["code"]) == ("trouble", "internal")
            assert "oops" not in json.dumps(content)
            ask.go_on()
            assert (await event(stream))[0] == "groups"

    run(watch())
    assert "oops" in caplog.text


def test_more_groups_than_a_page_can_show_are_refused() -> None:
    """A stream of fifty thousand groups each second would stop the browser."""

    async def watch() -> None:
        ask = Asked(groups(**{f"g{n}": 1 for n in range(MOST_GROUPS + 1)}))
        async with aclosing(Streams().groups("ann", "k", ask, 0.001)) as stream:
            assert str(MOST_GROUPS) in (await event(stream))[1]["error"]["what"]

    run(watch())


def test_a_person_has_so_many_streams_and_no_more() -> None:
    """One person's forgotten windows must not keep others out."""

    async def watch() -> None:
        streams, open_ones = Streams(), []
        for number in range(MOST_STREAMS):
            streams.check("ann")
            stream = streams.groups("ann", number, Asked(groups(a=1)), 0.001)
            await anext(stream)
            open_ones.append(stream)
        with pytest.raises(Busy):
            streams.check("ann")
        streams.check("bob")
        await open_ones[0].aclose()  # type: ignore[attr-defined]
        streams.check("ann")
        for stream in open_ones:
            await stream.aclose()  # type: ignore[attr-defined]
        streams.close()

    run(watch())


def test_a_state_is_pushed_when_it_changed_and_its_absence_once() -> None:
    """The page of a device that has not spoken yet waits for it."""

    async def watch() -> None:
        missing = InstanceMissing("There is no instance.", "It appears.")
        ask = Asked(
            missing, missing, {"id": "a", "state": b"1"}, {"id": "a", "state": b"1"}, {"id": "a", "state": b"2"}
        )
        async with aclosing(Streams().state("ann", "k", ask, 0.001)) as stream:
            assert (await event(stream))[0] == "missing"
            ask.go_on()
            assert await anext(stream) == HEARTBEAT
            ask.go_on()
            assert (await event(stream))[0] == "state"
            ask.go_on()
            assert await anext(stream) == HEARTBEAT
            ask.go_on()
            name, content = await event(stream)
            assert (name, content["id"]) == ("state", "a")
            assert ask.count == 5

    run(watch())


@pytest.mark.parametrize(
    ("page", "word"),
    [
        (b"", "dashboard"),
        (b"[]", "dashboard"),
        (b'{"widgets": [{"kind": "pie", "model": "M"}]}', "pie"),
        (b'{"widgets": [{"kind": "bar"}]}', "model"),
        (b'{"widgets": [{"kind": "bar", "model": "M", "question": {"measures": [{"of": "median"}]}}]}', "widget 1"),
        (b'{"widgets": [{"kind": "map", "model": "M", "question": {"measures": []}}]}', "widget 1"),
        (b'{"widgets": [], "script": "x"}', "script"),
        (b'{"title": "' + b"x" * 300 + b'"}', "title"),
        (b"[" * 10_000, "dashboard"),
    ],
)
def test_a_page_that_could_not_be_shown_is_refused_in_words(page: bytes, word: str) -> None:
    """What is kept can be opened by everybody who may see it."""
    with pytest.raises(BadRequest) as refused:
        read_dashboard(page)
    assert word in refused.value.what
