"""Ways into a running service, each with a bounded number of batches under way: who sends faster waits."""

from __future__ import annotations

import asyncio
import http.client
import queue
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import quote, urlsplit

import msgspec
import nats
from nats.errors import Error as NatsError

from realtime.errors import RealtimeError
from realtime.outputs import Reply
from realtime.simulate.fleet import Sent
from realtime.simulate.websocket import FeedClosed, WebSocket, open_websocket

Heard = Callable[[str, str, Any], None]
"""Called with model, instance and content of each reply."""
MOST_MESSAGES: Final = 2000
MOST_BYTES: Final = 400_000
"""Of one batch, which a service takes as one."""
encode: Final = msgspec.json.Encoder().encode
_replies: Final = msgspec.msgpack.Decoder(list[Reply])


class LoadRefused(RealtimeError):
    """The service did not take a batch."""

    code = "load_refused"
    status = 502


class Feed(Protocol):
    """Somewhere to send batches to."""

    refused: int
    """Messages that the service did not take."""

    async def send(self, model: str, batch: bytes) -> None:
        """Have a batch sent, as soon as there is room; what went wrong with one before is raised here."""

    async def close(self) -> None:
        """Wait until all is acknowledged."""


def encode_batches(items: Sequence[Sent]) -> Iterator[tuple[int, bytes]]:
    """Write messages as the service reads them, in batches that it takes: how many, and their bytes."""
    parts: list[bytes] = []
    size = 0
    for name, message in items:
        part = encode({"id": name, "message": message})
        if parts and (len(parts) >= MOST_MESSAGES or size + len(part) > MOST_BYTES):
            yield len(parts), b"[" + b",".join(parts) + b"]"
            parts, size = [], 0
        parts.append(part)
        size += len(part) + 1
    if parts:
        yield len(parts), b"[" + b",".join(parts) + b"]"


@dataclass
class Access:
    """Where a service is, and who sends."""

    url: str
    owner: str
    token: str = field(repr=False)

    def path(self, model: str) -> str:
        """Give the address of a model, without the server."""
        return f"{urlsplit(self.url).path.rstrip('/')}/realtime/{quote(self.owner, safe='')}/models/{quote(model, safe='')}"


class RestFeed:
    """Batches by HTTP, over connections that stay open; it hears no replies."""

    def __init__(self, access: Access, *, connections: int = 4) -> None:
        self.refused = 0
        self._access = access
        self._idle: queue.SimpleQueue[http.client.HTTPConnection] = queue.SimpleQueue()
        for _ in range(connections):
            self._idle.put(self._connection())
        self._room = asyncio.Semaphore(connections)
        self._tasks: set[asyncio.Task[None]] = set()
        self._trouble: BaseException | None = None

    async def send(self, model: str, batch: bytes) -> None:
        _raise(self._trouble)
        await self._room.acquire()
        task = asyncio.create_task(asyncio.to_thread(self._post, model, batch))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def close(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while not self._idle.empty():
            self._idle.get().close()
        _raise(self._trouble)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._room.release()
        if not task.cancelled() and task.exception() is not None:
            self._trouble = task.exception()

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self._access.url)
        if parts.scheme == "https":
            return http.client.HTTPSConnection(parts.netloc, timeout=60, context=ssl.create_default_context())
        return http.client.HTTPConnection(parts.netloc, timeout=60)

    def _post(self, model: str, body: bytes) -> None:
        connection = self._idle.get()
        try:
            headers = {"Authorization": f"token {self._access.token}", "Content-Type": "application/json"}
            connection.request("POST", f"{self._access.path(model)}/messages", body, headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise LoadRefused(f"The service does not answer: {error}.", "Check the address.") from error
        finally:
            self._idle.put(connection)
        found = _decoded(content)
        if answer.status >= 400:
            raise _refusal(found, answer.status)
        self.refused += int(found.get("refused", 0))


class WebSocketFeed:
    """Batches by WebSocket, a connection for each model, with replies."""

    def __init__(self, access: Access, *, heard: Heard | None = None, under_way: int = 64) -> None:
        self.refused = 0
        self._access, self._heard, self._under_way = access, heard, under_way
        self._lines: dict[str, _Line] = {}

    async def send(self, model: str, batch: bytes) -> None:
        line = self._lines.get(model)
        if line is None:
            line = self._lines[model] = await self._open(model)
        await line.send(batch, self._under_way)

    async def close(self) -> None:
        for line in self._lines.values():
            await line.close()
        self.refused += sum(line.refused for line in self._lines.values())

    async def _open(self, model: str) -> _Line:
        parts = urlsplit(self._access.url)
        replies = "yes" if self._heard else "no"
        url = f"{parts.scheme}://{parts.netloc}{self._access.path(model)}/feed?replies={replies}"
        return _Line(await open_websocket(url, f"token {self._access.token}"), model, self._heard)


class _Line:
    """One connection: how many frames were sent, and how many are dealt with."""

    def __init__(self, socket: WebSocket, model: str, heard: Heard | None) -> None:
        self.refused = 0
        self._socket, self._model, self._heard = socket, model, heard
        self._sent = self._acked = 0
        self._news = asyncio.Event()
        self._trouble: BaseException | None = None
        self._reading = asyncio.create_task(self._read())

    async def send(self, data: bytes, under_way: int) -> None:
        await self._until(under_way - 1)
        self._sent += 1
        await self._socket.send(data)

    async def close(self) -> None:
        try:
            await self._until(0)
        finally:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
            await self._socket.close()

    async def _until(self, under_way: int) -> None:
        while self._sent - self._acked > under_way:
            _raise(self._trouble)
            self._news.clear()
            await self._news.wait()
        _raise(self._trouble)

    async def _read(self) -> None:
        try:
            while True:
                found = _decoded(await self._socket.receive())
                if "ack" in found:
                    self._acked = int(found["ack"])
                elif "replies" in found and self._heard:
                    for reply in found["replies"]:
                        self._heard(self._model, str(reply["instance"]), reply["content"])
                elif "error" in found:
                    self.refused += 1
                    self._trouble = _refusal(found, 422)
                self._news.set()
        except FeedClosed as error:
            self._trouble = error
            self._news.set()


class NatsFeed:
    """Batches by NATS, in the owner's account, with replies."""

    def __init__(self, nc: Any, *, heard: Heard | None = None, under_way: int = 8) -> None:
        self.refused = 0
        self._nc, self._heard = nc, heard
        self._room = asyncio.Semaphore(under_way)
        self._tasks: set[asyncio.Task[None]] = set()
        self._trouble: BaseException | None = None
        self._listening: set[str] = set()

    @classmethod
    async def connect(cls, servers: list[str], user: str, password: str, *, heard: Heard | None = None) -> NatsFeed:
        """Connect; raises LoadRefused."""
        try:
            nc = await nats.connect(servers, user=user, password=password, max_reconnect_attempts=3)
        except (NatsError, OSError) as error:
            raise LoadRefused(f"The broker does not answer: {error}.", "Check REALTIME_SERVERS.") from error
        return cls(nc, heard=heard)

    async def send(self, model: str, batch: bytes) -> None:
        _raise(self._trouble)
        if self._heard and model not in self._listening:
            self._listening.add(model)
            await self._nc.subscribe(f"reply.{model}", cb=self._hear)
        await self._room.acquire()
        task = asyncio.create_task(self._ask(model, batch))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def close(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._nc.close()
        _raise(self._trouble)

    async def _ask(self, model: str, data: bytes) -> None:
        try:
            answer = await self._nc.request(f"batch.{model}", data, timeout=60)
        except NatsError as error:
            raise LoadRefused(
                f"The service does not answer at batch.{model}: {error}.", "Check that it runs."
            ) from error
        found = _decoded(answer.data)
        if "error" in found:
            raise _refusal(found, 422)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._room.release()
        if not task.cancelled() and task.exception() is not None:
            self._trouble = task.exception()

    async def _hear(self, message: Any) -> None:
        if self._heard:
            for reply in _replies.decode(message.data):
                self._heard(reply.model, reply.instance, msgspec.json.decode(reply.content))


def _decoded(data: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(data)
    except msgspec.DecodeError:
        found = None
    return found if isinstance(found, dict) else {"error": {"what": f"It answered {data[:80]!r}."}}


def _refusal(found: dict[str, Any], status: int) -> LoadRefused:
    about = found.get("error") or {}
    return LoadRefused(str(about.get("what") or f"The service answered {status}."), str(about.get("fix") or ""))


def _raise(trouble: BaseException | None) -> None:
    if trouble is not None:
        raise trouble
