"""Messages by WebSocket: each frame acknowledged when it is on disk, replies pushed.

A client sends {"id": …, "message": {…}}, or a list of these; at …/instances/ID/feed
the messages themselves. It gets {"ack": n}: its first n frames are dealt with, those
that were refused too, for which {"error": …, "frame": n} came before; and {"replies": […]}.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from realtime.errors import MessageRefused, RealtimeError
from realtime.outputs import Reply
from realtime.service.access import speaker_space
from realtime.service.intake import FRAME_MESSAGES, Intake, Lane
from realtime.service.messages import Pair, check_instance, read_frame, read_own
from realtime.service.replies import Replies
from realtime.service.rest import reply_json
from realtime.service.spaces import Space
from twinhub.errors import PublicError

LARGEST_FRAME: Final = 1024 * 1024
MOST_OPEN: Final = 5000
"""Feeds of one owner."""
MOST_UNDER_WAY: Final = 512
"""Frames of one client that wait for the disk; then it is not read further."""
MOST_ERRORS: Final = 100
"""Refusals that one client has not read; then it is not read further either."""
AT_ONCE: Final = 512
"""Frames that are looked at, and replies that are told, before others get a turn."""
LOOK_AGAIN_S: Final = 30.0
"""So long a feed may outlive the token or key that it was opened with."""


class Feeds:
    """The addresses for WebSockets."""

    def __init__(
        self, intake: Intake, replies: Replies, still_known: Callable[[HTTPConnection], Awaitable[bool]]
    ) -> None:
        self._intake = intake
        self._replies = replies
        self._still_known = still_known
        self._open: Counter[str] = Counter()

    def routes(self) -> list[BaseRoute]:
        """Name the addresses."""
        model = "/realtime/{owner}/models/{model}"
        return [
            WebSocketRoute(f"{model}/feed", self.feed),
            WebSocketRoute(f"{model}/instances/{{instance:instance}}/feed", self.feed),
        ]

    async def feed(self, socket: WebSocket) -> None:
        """Serve one client from its handshake to its end."""
        instance: str | None = socket.path_params.get("instance")
        await socket.accept()
        try:
            if instance is not None:
                check_instance(instance)
            space = await speaker_space(socket, instance)
            lane = await self._intake.lane(space, socket.path_params["model"])
        except (RealtimeError, PublicError) as error:
            await _close(socket, 4000 + error.status, error.what)
            return
        if self._open[space.owner] >= MOST_OPEN:
            await _close(socket, 4429, f"More than {MOST_OPEN} feeds are open.")
            return
        self._open[space.owner] += 1
        try:
            await self._serve(Feed(socket, lane, instance), space)
        finally:
            self._open[space.owner] -= 1

    async def _serve(self, feed: Feed, space: Space) -> None:
        wants = feed.socket.query_params.get("replies", "yes") != "no"
        with contextlib.ExitStack() as stack:
            works = [feed.read(), feed.write(), self._watch(feed.socket)]
            if wants and feed.instance is None:
                works.append(feed.pass_all(stack.enter_context(self._replies.listen_all(space, feed.lane.model))))
            elif wants and feed.instance is not None:
                own = self._replies.listen(space, feed.lane.model, feed.instance)
                works.append(feed.pass_replies(stack.enter_context(own)))
            tasks = [asyncio.create_task(work) for work in works]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            except (WebSocketDisconnect, RuntimeError):
                return  # starlette's RuntimeError is what writing to a client that has left raises
            except (RealtimeError, PublicError) as error:
                await _close(feed.socket, 4000 + error.status, error.what)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self, socket: WebSocket) -> None:
        """End when whoever opened the feed is known no longer."""
        while True:
            await asyncio.sleep(LOOK_AGAIN_S)
            if not await self._still_known(socket):
                await _close(socket, 4401, "The token or key of this feed has ended.")
                return


class _Group:
    """Frames that came together."""

    __slots__ = ("done", "frames")

    def __init__(self, frames: int) -> None:
        self.frames = frames
        self.done = False


class Feed:
    """One client's messages, and what it is told."""

    def __init__(self, socket: WebSocket, lane: Lane, instance: str | None) -> None:
        self.socket = socket
        self.lane = lane
        self.instance = instance
        self._under_way: deque[_Group] = deque()
        self._number = 0
        """Of frames that came."""
        self._acked = 0
        self._errors: deque[tuple[Sequence[int], dict[str, Any]]] = deque()
        """Numbers of frames, and what is wrong with each of them."""
        self._news = asyncio.Event()
        self._room = asyncio.Event()

    async def read(self) -> None:
        """Take frames until the client leaves."""
        turns = 0
        while True:
            event = await self.socket.receive()
            if event["type"] == "websocket.disconnect":
                return
            frames = _frames_of(event)
            for start in range(0, len(frames), AT_ONCE):
                if start:
                    await asyncio.sleep(0)
                self._take(frames[start : start + AT_ONCE])
                await self._wait_for_room()
            turns += 1
            if turns % 64 == 0:
                await self.lane.check()

    async def _wait_for_room(self) -> None:
        """Wait for the disk, and until the client has read what it was told."""
        if self.lane.full:
            await self.lane.room()
        while len(self._under_way) >= MOST_UNDER_WAY or len(self._errors) >= MOST_ERRORS:
            self._room.clear()
            await self._room.wait()

    def _take(self, frames: Sequence[bytes]) -> None:
        """Read frames that came together, and put together what they hold."""
        items: list[Pair] = []
        good: list[int] = []
        count = 0
        for data in frames:
            self._number += 1
            try:
                pairs = read_frame(data) if self.instance is None else read_own(self.instance, data)
                if len(pairs) > FRAME_MESSAGES:
                    raise MessageRefused(
                        f"A frame has {len(pairs)} messages.", f"Send at most {FRAME_MESSAGES} in one."
                    )
            except RealtimeError as error:
                self._errors.append(([self._number], error.as_json()))
                count += 1
                continue
            if len(items) + len(pairs) > FRAME_MESSAGES:
                self._put(items, good, count)
                items, good, count = [], [], 0
            items += pairs
            good.append(self._number)
            count += 1
        self._put(items, good, count)

    def _put(self, items: list[Pair], good: list[int], count: int) -> None:
        """Have the messages of these frames written; `count` are theirs and those that were refused between them."""
        state = _Group(count)
        self._under_way.append(state)

        def done(error: Exception | None) -> None:
            if error is not None and good:
                self._errors.append((good, _told(error)))
            state.done = True
            self._advance()

        try:
            if items:
                self.lane.put(items, done)
            else:
                done(None)
        except RealtimeError as error:
            done(error)

    def _advance(self) -> None:
        waiting = self._under_way
        while waiting and waiting[0].done:
            self._acked += waiting.popleft().frames
        self._news.set()
        self._room.set()

    async def write(self) -> None:
        """Tell what was dealt with; many frames in one word where they were written together."""
        told = 0
        while True:
            await self._news.wait()
            self._news.clear()
            while self._errors:
                numbers, what = self._errors.popleft()
                for number in numbers:
                    await self._send({"frame": number, **what})
                self._room.set()
            if self._acked > told:
                told = self._acked
                await self.socket.send({"type": "websocket.send", "text": f'{{"ack": {told}}}'})

    async def pass_replies(self, queue: asyncio.Queue[Reply]) -> None:
        """Push replies to one device as they come, those that came together in one word."""
        while True:
            found = [await queue.get()]
            while not queue.empty():
                found.append(queue.get_nowait())
            await self._send({"replies": [reply_json(one) for one in found]})

    async def pass_all(self, queue: asyncio.Queue[list[Reply]]) -> None:
        """Push replies to all devices, those that came together in one word."""
        while True:
            found = list(await queue.get())
            while not queue.empty() and len(found) < AT_ONCE:
                found += queue.get_nowait()
            for start in range(0, len(found), AT_ONCE):
                await self._send({"replies": [reply_json(one) for one in found[start : start + AT_ONCE]]})
                await asyncio.sleep(0)

    async def _send(self, content: dict[str, Any]) -> None:
        await self.socket.send({"type": "websocket.send", "text": msgspec.json.encode(content).decode()})


def _frames_of(event: Mapping[str, Any]) -> Sequence[bytes]:
    """Give what a client sent: many frames from a server that knows how to, else one."""
    frames: Sequence[bytes] | None = event.get("frames")
    if frames is not None:
        return frames
    data: bytes | None = event.get("bytes")
    return [data if data is not None else event["text"].encode("utf-8", "surrogatepass")]


def _told(error: Exception) -> dict[str, Any]:
    if isinstance(error, RealtimeError):
        return error.as_json()
    return {"error": {"code": "internal", "what": "Something went wrong on our side.", "fix": "Tell an administrator."}}


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    if socket.application_state is not WebSocketState.DISCONNECTED:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await socket.close(code, reason.encode()[:120].decode(errors="ignore"))
