"""What models answer to devices, given to whoever listens: connections of devices, waiting requests, pages."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from nats.aio.msg import Msg

from realtime.outputs import Reply
from realtime.service.spaces import Space

WAITING: Final = 1000
"""So many replies wait for one listener; older ones are dropped then, as a slow reader must not fill the memory."""
REMEMBERED: Final = 50_000
"""So many replies of a model that was given out are remembered, so that one that comes again is not given again."""

Name = tuple[str, str]
Key = tuple[str, str, str]
log = logging.getLogger("realtime.replies")
_decoder: Final = msgspec.msgpack.Decoder(list[Reply])


class Replies:
    """Listeners by model and instance; what nobody listens to costs a look into a table."""

    def __init__(self) -> None:
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

    def deliver(self, space: Space, model: str, replies: Sequence[Reply]) -> None:
        """Give replies to whoever listens, each once."""
        name = (space.owner, model)
        if name not in self._models:
            return
        given = self._given.setdefault(name, _Remembered())
        new = [reply for reply in replies if given.add(f"{reply.instance}\0{reply.output_id}")]
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
    """The last ids that were given out."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._order: deque[str] = deque()

    def add(self, name: str) -> bool:
        """Remember one; tell whether it is new."""
        if name in self._ids:
            return False
        self._ids.add(name)
        self._order.append(name)
        if len(self._order) > REMEMBERED:
            self._ids.discard(self._order.popleft())
        return True
