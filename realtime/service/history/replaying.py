"""Replays: recorded messages played to a version of a model again, in the owner's host, and compared."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from typing import Any, Final

import msgspec
import polars as pl
from nats.errors import Error as NatsError
from nats.js.object_store import ObjectStore
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from realtime.host.replaying import Done
from realtime.replaying import Recorded, Recording, compare
from realtime.service.access import space_of
from realtime.service.errors import HostAway, ModelDisabled
from realtime.service.history.contract import MOST_ROWS, HistoryKind, Question
from realtime.service.history.errors import HistoryRefused
from realtime.service.history.service import History
from realtime.service.spaces import Space, broker_errors
from realtime.wire import LONGEST_INSTANCE, REPLAY, STATES, ReplayAnswer, ReplayQuestion

MOST_INSTANCES: Final = 100
LARGEST_BODY: Final = 64 * 1024
SECONDS: Final = 120.0
MICROSECOND: Final = 1_000_000
LARGEST_RESULT: Final = 32 * 1024 * 1024
"""Bytes: the host is its owner's, and what comes of a replay must not fill the service's memory."""
CHUNK_S: Final = 10.0


class ReplayBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """POST …/M/replay."""

    instances: list[str]
    from_s: float = 0.0
    """Later than an instance's first message: it begins there with an empty state."""
    to_s: float | None = None
    """Not given: now."""
    version: int = 0
    """0: the one that runs."""
    other_version: int = 0
    """Not 0: what would have been with this one, compared with `version`."""


class ReplayRoutes:
    """POST …/M/replay."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._room: dict[str, asyncio.Semaphore] = {}
        """One at a time for each owner."""

    def routes(self) -> list[Route]:
        """Give the route."""
        return [Route("/realtime/{owner}/models/{model}/replay", self.replay, methods=["POST"])]

    async def replay(self, request: Request) -> Response:
        """Replay instances; give their states, and how they differ from what they were, or from another version's."""
        space = await space_of(request)
        record = await space.model(request.path_params["model"])
        body = await _read(request)
        to_s = time.time() if body.to_s is None else body.to_s
        version = body.version or record.version
        if not version:
            raise ModelDisabled(f"The model '{record.name}' has no version yet.", "Deploy one.")
        async with self._room.setdefault(space.label, asyncio.Semaphore(1)):
            recording, more = await self._record(space, record.name, body, to_s)
            versions = [version, *([body.other_version] if body.other_version else [])]
            done = await ask_host(space, record.name, versions, recording)
            first = done.results[0]
            content: dict[str, Any] = {
                "from_s": body.from_s,
                "to_s": to_s,
                "truncated": more,
                "results": [msgspec.to_builtins(one) for one in done.results],
            }
            if body.other_version:
                content["differences"] = await asyncio.to_thread(compare, first.states, done.results[1].states)
            else:
                kept = await self._kept(space, record.name, body, to_s)
                mine = {name: state for name, state in first.states.items() if name in kept}
                content["compared"] = len(mine)
                content["differences"] = await asyncio.to_thread(compare, kept, mine)
        data = msgspec.json.encode(content)
        return Response(data, media_type="application/json", headers={"Cache-Control": "no-store"})

    async def _record(self, space: Space, model: str, body: ReplayBody, to_s: float) -> tuple[bytes, bool]:
        """Make a recording of what the history has of the instances."""
        parts, room, truncated = list[pl.DataFrame](), MOST_ROWS, False
        for instance in dict.fromkeys(body.instances):
            question = _question(
                space, HistoryKind.TELEMETRY, (model, instance), (body.from_s, to_s), most=max(room, 1)
            )
            rows, more = await self._history.read(question)
            truncated = truncated or more
            room -= rows.height
            parts.append(rows.with_columns(pl.lit(instance).alias("instance")))
        if truncated or room < 0:
            raise HistoryRefused(
                f"These instances have more than {MOST_ROWS} messages in that time.",
                "Choose fewer instances, or a shorter time.",
            )
        return await asyncio.to_thread(_recording, parts, to_s), truncated

    async def _kept(self, space: Space, model: str, body: ReplayBody, to_s: float) -> dict[str, Any]:
        """Give the states that the history has at the end of the time."""
        found = dict[str, Any]()
        for instance in dict.fromkeys(body.instances):
            rows, _ = await self._history.read(
                _question(space, HistoryKind.STATES, (model, instance), (0.0, to_s), most=1)
            )
            if rows.height:
                found[instance] = msgspec.json.decode(rows["content"][-1].encode())
        return found


async def _read(request: Request) -> ReplayBody:
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > LARGEST_BODY:
            raise HistoryRefused(f"More than {LARGEST_BODY} bytes were sent.", "Send less.")
    try:
        body = msgspec.json.decode(data or b"{}", type=ReplayBody)
    except msgspec.DecodeError as error:
        raise HistoryRefused(f"The request does not fit: {error}.", "Correct the field that is named.") from error
    if not 1 <= len(body.instances) <= MOST_INSTANCES or any(len(one) > LONGEST_INSTANCE for one in body.instances):
        raise HistoryRefused(
            f"{len(body.instances)} instances were named.", f"Name 1 to {MOST_INSTANCES} by their ids."
        )
    for moment in (body.from_s, body.to_s or 0.0):
        if not 0 <= moment < 253_402_300_800:
            raise HistoryRefused(f"{moment} is no time.", "Give seconds since 1970.")
    return body


def _question(
    space: Space, kind: HistoryKind, what: tuple[str, str], time_s: tuple[float, float], *, most: int
) -> Question:
    return Question(
        owner=space.label,
        kind=kind,
        model=what[0],
        instance=what[1],
        from_us=int(time_s[0] * MICROSECOND),
        to_us=int(time_s[1] * MICROSECOND),
        most=most,
    )


def _recording(parts: list[pl.DataFrame], to_s: float) -> bytes:
    rows = pl.concat(parts).sort("time_us", maintain_order=True)
    messages = [
        Recorded(time_us / MICROSECOND, instance, content.encode()) for time_us, content, instance in rows.iter_rows()
    ]
    return msgspec.msgpack.encode(Recording(messages, to_s))


async def ask_host(space: Space, model: str, versions: list[int], recording: bytes) -> Done:
    """Have the owner's host play it; raises HostAway, HistoryRefused."""
    name = f"replay-{secrets.token_hex(8)}"
    question = ReplayQuestion(model=model, versions=versions, recording=name, result=f"{name}-result", seconds=SECONDS)
    with broker_errors():
        store = await space.js.object_store(STATES)
        await store.put(name, recording)
    try:
        reply = await space.nc.request(REPLAY, msgspec.json.encode(question), timeout=SECONDS + 30)
        answer = msgspec.json.decode(reply.data, type=ReplayAnswer)
        if answer.what:
            raise HistoryRefused(answer.what[:2000], answer.fix[:1000])
        result = await _fetch(space, store, question.result)
        done = await asyncio.to_thread(msgspec.json.decode, result or b"{}", type=Done)
        if len(done.results) != len(versions):
            raise HistoryRefused("The replay gave no result.", "Try again.")
    except (NatsError, TimeoutError, msgspec.DecodeError, ValueError, RecursionError) as error:
        raise HostAway(
            "The workspace 'realtime', in which your models run, does not answer.",
            "Look at it on the Workbench page, and start or restart it there.",
        ) from error
    else:
        return done
    finally:
        for one in (name, question.result):
            with contextlib.suppress(Exception):  # what is left of a replay costs room only
                await store.delete(one)


async def _fetch(space: Space, store: ObjectStore, name: str) -> bytes:
    """Get what the host wrote, as far as its size is bearable, whatever is said of it; raises HistoryRefused."""
    info = await store.get_info(name)
    if not isinstance(info.size, int) or info.size > LARGEST_RESULT or info.is_link() or not info.nuid:
        raise _too_large()
    data = bytearray()
    chunks = await space.js.subscribe(
        f"$O.{STATES}.C.{info.nuid}", ordered_consumer=True, pending_bytes_limit=2 * LARGEST_RESULT
    )
    try:
        while len(data) < info.size:
            data += (await chunks.next_msg(CHUNK_S)).data
            if len(data) > LARGEST_RESULT:
                raise _too_large()
    finally:
        await chunks.unsubscribe()
    return bytes(data)


def _too_large() -> HistoryRefused:
    return HistoryRefused(
        f"What came of the replay is more than {LARGEST_RESULT // 2**20} MB.", "Choose fewer instances."
    )
