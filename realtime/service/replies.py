"""What models answer to devices, given to whoever listens: connections of devices, waiting requests, pages."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from nats.aio.msg import Msg

from realtime.outputs import Reply
from realtime.service.spaces import Space

WAITING: Final = 1000
"""So many replies wait for one listener; older ones are dropped then, as a slow reader must not fill the memory."""
REMEMBERED: Final = 250_000
"""At least so many of the replies of a model that were given out are remembered, or those of REMEMBERED_S.

So one that comes again is not given again; what may be one of those that were forgotten is not, either.
"""
REMEMBERED_S: Final = 40.0
LATER_S: Final = 5.0
"""So much later than it was told at once, a reply is written at most."""

Name = tuple[str, str]
Key = tuple[str, str, str]
log = logging.getLogger("realtime.replies")
_decoder: Final = msgspec.msgpack.Decoder(list[Reply])


class Replies:
    """Listeners by model and instance; what nobody listens to costs a look into a table."""

    def __init__(self, *, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._listeners: dict[Key, list[asyncio.Queue[Reply]]] = defaultdict(list)
        self._all: dict[Name, list[asyncio.Queue[list[Reply]]]] = defaultdict(list)
        self._models: dict[Name, int] = defaultdict(int)
        self._given: dict[Name, _Remembered] = {}

    async def follow(self, space: Space) -> None:
        """Listen to an owner's models from now on."""

        async def arrived(message: Msg) -> None:
            model = message.subject.partition(".")[2]
            if (space.owner, model) not in self._models:
                return
            try:
                replies = _decoder.decode(message.data)
            except (msgspec.DecodeError, RecursionError):
                log.warning("what came at %s of %s are no replies", message.subject[:100], space.label)
                return
            self.deliver(space, model, replies)

        await space.nc.subscribe("reply.*", cb=arrived)

    @contextlib.contextmanager
    def listen(self, space: Space, model: str, instance: str) -> Iterator[asyncio.Queue[Reply]]:
        """Collect replies to one instance while in the block."""
        key: Key = (space.owner, model, instance)
        queue: asyncio.Queue[Reply] = asyncio.Queue(WAITING)
        self._listeners[key].append(queue)
        with self._counted((space.owner, model)):
            try:
                yield queue
            finally:
                self._listeners[key].remove(queue)
                if not self._listeners[key]:
                    del self._listeners[key]

    @contextlib.contextmanager
    def listen_all(self, space: Space, model: str) -> Iterator[asyncio.Queue[list[Reply]]]:
        """Collect replies to all instances while in the block, as many together as came together."""
        name = (space.owner, model)
        queue: asyncio.Queue[list[Reply]] = asyncio.Queue(WAITING)
        self._all[name].append(queue)
        with self._counted(name):
            try:
                yield queue
            finally:
                self._all[name].remove(queue)
                if not self._all[name]:
                    del self._all[name]

    @contextlib.contextmanager
    def _counted(self, name: Name) -> Iterator[None]:
        self._models[name] += 1
        try:
            yield
        finally:
            self._models[name] -= 1
            if not self._models[name]:
                del self._models[name]
                self._given.pop(name, None)

    def deliver(self, space: Space, model: str, replies: Sequence[Reply], *, written_s: float | None = None) -> None:
        """Give replies to whoever listens, each once; `written_s` is when they were written to the disk, where they come from there."""
        name = (space.owner, model)
        if name not in self._models:
            return
        given = self._given.setdefault(name, _Remembered(self._remembered))
        if written_s is not None and written_s < given.forgotten_s + LATER_S:
            return
        new = [reply for reply in replies if given.add((reply.instance, reply.output_id))]
        if not new:
            return
        for everything in self._all.get(name, ()):
            _put(everything, new)
        if len(self._all.get(name, ())) < self._models[name]:
            for reply in new:
                for queue in self._listeners.get((*name, reply.instance), ()):
                    _put(queue, reply)


def _put(queue: asyncio.Queue[Any], thing: object) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(thing)


class _Remembered:
    """The last ones that were given out, by hashes: names may be long, and come from anybody."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._new: set[int] = set()
        self._old: set[int] = set()
        self._since_s = time.time()
        self.forgotten_s = 0.0
        """Until when those were given out that are not remembered any more."""

    def add(self, name: tuple[str, str]) -> bool:
        """Remember one; tell whether it is new."""
        number = hash(name)
        if number in self._new or number in self._old:
            return False
        self._new.add(number)
        if len(self._new) >= self._most or time.time() - self._since_s > REMEMBERED_S:
            self._forget()
        return True

    def _forget(self) -> None:
        if self._old:
            self.forgotten_s = self._since_s
        self._old, self._new, self._since_s = self._new, set(), time.time()
