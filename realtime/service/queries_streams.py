"""Answers that are asked for again and again, and pushed when they changed: once however many watch.

A question is asked as long as somebody watches; each watcher is sent what is new to
them, whether they came a second ago or slept through three answers.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from realtime.errors import RealtimeError
from realtime.service.errors import Busy, InstanceMissing

MOST_STREAMS: Final = 30
"""Of one person at a time."""
MOST_GROUPS: Final = 5000
HEARTBEAT_S: Final = 10.0
LONGEST_S: Final = 1800.0
"""A stream ends after so long; browsers open it again by themselves, and are looked at again."""
Ask = Callable[[], Awaitable[dict[str, Any]]]

log = logging.getLogger("realtime.queries")


@dataclass
class _Seen:
    """An answer, or why there is none."""

    number: int = 0
    answer: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


class _Source:
    """One question, asked at intervals while somebody watches."""

    def __init__(self, ask: Ask, every_s: float) -> None:
        self._ask = ask
        self._every_s = every_s
        self._news = asyncio.Condition()
        self.seen = _Seen()
        self.watchers = 0
        self.work = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            began = time.monotonic()
            await self._look()
            # A question that takes long is asked less often.
            taken_s = time.monotonic() - began
            await asyncio.sleep(max(self._every_s - taken_s, taken_s / 2))

    async def _look(self) -> None:
        try:
            answer, error = await self._ask(), None
        except RealtimeError as refusal:
            answer, error = None, refusal.as_json()["error"]
        except Exception:  # the stream goes on, and so does the question
            log.exception("a question could not be asked")
            answer, error = None, {"code": "internal", "what": "The question failed.", "fix": "It is asked again."}
        async with self._news:
            self.seen = _Seen(self.seen.number + 1, answer, error)
            self._news.notify_all()

    async def after(self, number: int) -> _Seen:
        """Wait for what was seen after that."""
        async with self._news:
            await self._news.wait_for(lambda: self.seen.number > number)
            return self.seen


@dataclass
class Streams:
    """All questions that are watched."""

    _sources: dict[Any, _Source] = field(default_factory=dict)
    _people: Counter[str] = field(default_factory=Counter)

    async def groups(self, person: str, key: Any, ask: Ask, every_s: float = 1.0) -> AsyncIterator[bytes]:
        """Push groups of an aggregate that changed, appeared or went."""
        sent = _SentGroups()
        async with aclosing(self._watch(person, key, ask, every_s)) as watched:
            async for seen in watched:
                yield HEARTBEAT if seen is None else sent.event(seen)

    async def state(self, person: str, key: Any, ask: Ask, every_s: float = 0.25) -> AsyncIterator[bytes]:
        """Push the state of an instance when it changed."""
        last: Any = None
        async with aclosing(self._watch(person, key, ask, every_s)) as watched:
            async for seen in watched:
                now = None if seen is None else _told(seen)
                if seen is None or now == last:
                    yield HEARTBEAT
                    continue
                last = now
                name = "state" if seen.answer else "missing" if now == InstanceMissing.code else "trouble"
                yield _event(name, seen.answer or {"error": seen.error})

    def check(self, person: str) -> None:
        """Refuse one stream too many; raises Busy."""
        if self._people[person] >= MOST_STREAMS:
            raise Busy(
                f"{MOST_STREAMS} streams of yours are open.",
                "Close some, or ask several questions of one page together.",
            )

    def close(self) -> None:
        """Ask no longer."""
        for source in self._sources.values():
            source.work.cancel()
        self._sources.clear()

    async def _watch(self, person: str, key: Any, ask: Ask, every_s: float) -> AsyncGenerator[_Seen | None, None]:
        """Give what is seen, and None where nothing was for a while."""
        until = time.monotonic() + LONGEST_S
        number = 0
        with self._joined(person, key, ask, every_s) as source:
            while time.monotonic() < until:
                try:
                    async with asyncio.timeout(HEARTBEAT_S):
                        seen = await source.after(number)
                except TimeoutError:
                    yield None
                    continue
                number = seen.number
                yield seen

    @contextmanager
    def _joined(self, person: str, key: Any, ask: Ask, every_s: float) -> Iterator[_Source]:
        source = self._sources.get(key)
        if source is None:
            source = self._sources[key] = _Source(ask, every_s)
        source.watchers += 1
        self._people[person] += 1
        try:
            yield source
        finally:
            self._people[person] -= 1
            if not self._people[person]:
                del self._people[person]
            source.watchers -= 1
            if not source.watchers:
                source.work.cancel()
                if self._sources.get(key) is source:
                    del self._sources[key]


class _SentGroups:
    """What one watcher has been sent."""

    def __init__(self) -> None:
        self._groups: dict[bytes, bytes] | None = None
        self._rest: Any = None
        self._order: list[bytes] = []

    def event(self, seen: _Seen) -> bytes:
        """Give what is new to them; a heartbeat where nothing is."""
        if seen.answer is None:
            changed = self._rest != seen.error
            self._rest, self._groups = seen.error, None
            return _event("trouble", {"error": seen.error}) if changed else HEARTBEAT
        answer = seen.answer
        if len(answer["groups"]) > MOST_GROUPS:
            what = f"There are {len(answer['groups'])} groups; a stream has at most {MOST_GROUPS}."
            error = {
                "code": "query_refused",
                "what": what,
                "fix": "Ask for the top ones, or group by something coarser.",
            }
            return self.event(_Seen(seen.number, None, error))
        return self._changes(answer)

    def _changes(self, answer: dict[str, Any]) -> bytes:
        before = self._groups
        now = {msgspec.json.encode(one["key"]): msgspec.json.encode(one) for one in answer["groups"]}
        order, rest = list(now), {name: answer[name] for name in ("instances", "missing_partitions")}
        changed = [msgspec.Raw(value) for key, value in now.items() if before is None or before.get(key) != value]
        removed = [] if before is None else [msgspec.Raw(key) for key in before if key not in now]
        content = {"reset": before is None, "set": changed, "removed": removed, "time_s": time.time(), **rest}
        if order != self._order:
            content["order"] = [msgspec.Raw(key) for key in order]
        if before is not None and not changed and not removed and order == self._order and rest == self._rest:
            return HEARTBEAT
        self._groups, self._order, self._rest = now, order, rest
        return _event("groups", content)


HEARTBEAT: Final = b": \n\n"


def _told(seen: _Seen) -> str | bytes:
    """Give what of an instance is new when it differs."""
    return bytes(seen.answer["state"]) if seen.answer else (seen.error or {}).get("code", "")


def _event(name: str, content: Any) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(content) + b"\n\n"
