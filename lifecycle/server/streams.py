"""WebSockets: a run's output as it is printed, and whatever changes in the workspace."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.utils import ensure_async
from tornado import web
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from lifecycle.errors import RunNotFound
from lifecycle.logs import CHUNK_BYTES, Part, read_part
from lifecycle.models import Run, RunState
from lifecycle.server.bodies import read_query
from lifecycle.server.handler import Refusals
from lifecycle.server.operations import Query, World
from lifecycle.server.watching import Changes, RunWatch, WorkspaceWatch

OFFSET: Final = Query("offset", {"type": "integer", "minimum": 0, "maximum": 2**53, "default": 0}, "Where to begin.")
GONE: Final = (WebSocketClosedError, StreamClosedError)
NORMAL: Final = 1000

READERS: Final = ThreadPoolExecutor(2, thread_name_prefix="log-reader")
"""Apart from the common threads: a stop that takes ten seconds must not hold up a log."""


class Stream(Refusals, WebSocketMixin, WebSocketHandler, JupyterHandler):
    """A WebSocket that only sends; who is not signed in, or comes from another site's page, gets 403 before it opens."""

    auth_resource = "twins"
    signed_out_status = 403
    _task: asyncio.Task[None] | None = None

    async def get(self, *parts: str) -> None:
        """Let in who may read, then open."""
        user = self.current_user
        if user is None or not await ensure_async(self.authorizer.is_authorized(self, user, "read", "twins")):
            raise web.HTTPError(403)
        if not self.check_origin():
            raise web.HTTPError(403, "Pages of other sites may not listen.")
        await self.prepare_stream(*parts)
        await super().get(*parts)

    def check_origin(self, origin: str | None = None) -> bool:
        """Take an origin that is no address for another site's; Jupyter's own check would fail."""
        try:
            return bool(super().check_origin(origin))
        except ValueError:
            return False

    async def prepare_stream(self, *parts: str) -> None:
        """Refuse, while that can still be said in words."""

    async def send_all(self) -> None:
        """Send what there is to send, until the end or until nobody listens."""
        raise NotImplementedError

    def open(self, *parts: str) -> Awaitable[None] | None:
        """Begin to send."""
        opened: Awaitable[None] | None = super().open()
        self._task = asyncio.create_task(self._send())
        return opened

    async def _send(self) -> None:
        try:
            await self.send_all()
        except GONE:
            return
        except RunNotFound:
            self.close(NORMAL)
        except Exception:
            self.log.exception("a stream ended early")
            self.close(1011)

    def on_message(self, message: str | bytes) -> None:
        """Take no notice."""

    def on_close(self) -> None:
        """Nobody listens any more."""
        if self._task is not None:
            self._task.cancel()

    async def say(self, content: dict[str, Any]) -> None:
        """Send a text frame and wait until it is on its way."""
        await self.write_message(json.dumps(content))


class LogStream(Stream):
    """`runs/ID/stream?offset=N`: output from a byte on, each frame with the offset at which it begins."""

    def initialize(self, world: World) -> None:
        """Take what the routes give."""
        self.world = world

    def open(self, *parts: str) -> Awaitable[None] | None:
        """Begin to send; a stop of the workspace waits a moment for it to end."""
        opened = super().open(*parts)
        if self._task is not None:
            self.world.background.add(self._task)
            self._task.add_done_callback(self.world.background.discard)
        return opened

    async def prepare_stream(self, *parts: str) -> None:
        """Refuse a wrong offset and a run that is not there."""
        self.run_id = parts[0]
        self.offset = read_query(self.request.query_arguments, (OFFSET,))["offset"]
        await asyncio.to_thread(self.world.runs.get, self.run_id)

    async def send_all(self) -> None:
        """Send states and output; the next piece is read when the last one has been taken."""
        log = self.world.runs.log(self.run_id)
        loop = asyncio.get_running_loop()
        said: Run | None = None
        async with self.world.watches.follow(self.run_id) as (watch, changed):
            while True:
                changed.clear()
                run = watch.run
                if run != said:
                    await self.say({"type": "state", "run": run.as_json()})
                    said = run
                part = await loop.run_in_executor(READERS, read_part, log, self.offset, CHUNK_BYTES)
                if part.following > self.offset:
                    await self._send_part(part)
                elif run.state is not RunState.RUNNING:
                    break
                else:
                    await changed.wait()
        await self._end(watch, said)

    async def _send_part(self, part: Part) -> None:
        begin = part.following - len(part.data)
        if begin > self.offset:
            await self.say({"type": "gap", "from": self.offset, "to": begin})
        if part.data:
            await self.write_message(struct.pack("!Q", begin) + part.data, binary=True)
        self.offset = part.following

    async def _end(self, watch: RunWatch, said: Run | None) -> None:
        if watch.run != said:
            await self.say({"type": "state", "run": watch.run.as_json()})
        await self.say({"type": "end"})
        self.close(NORMAL)


class EventStream(Stream):
    """`events`: runs that start, change or end, and twins that come, go or change."""

    WAITING: Final = 1000

    def initialize(self, workspace: WorkspaceWatch) -> None:
        """Take what the routes give."""
        self.workspace = workspace
        self.waiting: asyncio.Queue[Changes] = asyncio.Queue(self.WAITING)

    async def prepare_stream(self, *parts: str) -> None:
        """Take no parameters."""
        read_query(self.request.query_arguments, ())

    async def send_all(self) -> None:
        """Say first what runs, then what changes."""
        await self.workspace.hear(self._hear)
        try:
            await self._say_runs(self.workspace.running, ())
            while True:
                changes = await self.waiting.get()
                if changes.changed:
                    await self._say_runs(changes.running, changes.changed)
                if changes.twins:
                    await self.say({"type": "twins"})
        finally:
            self.workspace.leave(self._hear)

    def _hear(self, changes: Changes) -> None:
        if self.waiting.full():
            # Who has not listened for so long begins anew, and learns how things stand then.
            self.close(1013)
        else:
            self.waiting.put_nowait(changes)

    async def _say_runs(self, running: tuple[Run, ...], changed: tuple[Run, ...]) -> None:
        frame = {"type": "runs", "running": [run.as_json() for run in running]}
        await self.say({**frame, "changed": [run.as_json() for run in changed]})
