"""Messages by HTTP: one, a list, or a stream of lines; each answered when all of it is on disk."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from realtime.errors import MessageRefused
from realtime.outputs import Reply
from realtime.service import addresses  # noqa: F401 - registers its kind of address
from realtime.service.access import speaker_space
from realtime.service.answers import json_answer
from realtime.service.errors import BadRequest
from realtime.service.intake import Intake, Waiting
from realtime.service.lines import Lines, read_list
from realtime.service.messages import Pair, check_instance, read_batch, read_message
from realtime.service.replies import Replies
from realtime.service.spaces import Space
from realtime.wire import LARGEST_MESSAGE
from twinhub.bodies import read_body

LARGEST_BATCH: Final = 16 * 1024 * 1024
LONGEST_WAIT_S: Final = 30.0
NDJSON: Final = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})


class Messages:
    """The addresses to which messages are sent."""

    def __init__(self, intake: Intake, replies: Replies) -> None:
        self._intake = intake
        self._replies = replies

    def routes(self) -> list[BaseRoute]:
        """Name the addresses."""
        model = "/realtime/{owner}/models/{model}"
        return [
            Route(f"{model}/messages", self.many, methods=["POST"]),
            Route(f"{model}/instances/{{instance:instance}}/messages", self.one, methods=["POST"]),
        ]

    async def one(self, request: Request) -> Response:
        """Take one message of one device; with ?wait_s= give what the model answers."""
        instance = check_instance(request.path_params["instance"])
        space = await speaker_space(request, instance)
        content = read_message(await read_body(request, LARGEST_MESSAGE))
        wait_s = _wait_s(request.query_params.get("wait_s"))
        model = request.path_params["model"]
        if wait_s is None:
            await self._intake.accept(space, model, [(instance, content)])
            return json_answer({"accepted": 1})
        with self._replies.listen(space, model, instance) as queue:
            lane = await self._intake.lane(space, model)
            if lane.full:
                await lane.room()
            waiting = Waiting(lane)
            lane.put([(instance, content)], waiting.done)
            position = await waiting.wait()
            replies = await _replies_to(queue, position, wait_s)
        return json_answer({"accepted": 1, "replies": [reply_json(one) for one in replies]})

    async def many(self, request: Request) -> Response:
        """Take a list of messages, or lines; what does not fit is told by its line, and the others are kept."""
        space = await speaker_space(request, None)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() in NDJSON:
            return await self._lines(request, space)
        data = await read_body(request, LARGEST_BATCH)
        errors: list[dict[str, Any]] = []
        refused = 0
        try:
            items = read_batch(data)
        except MessageRefused:
            items, refused, errors = read_list(data)
        if items:
            await self._intake.accept(space, request.path_params["model"], items)
        else:
            await self._intake.lane(space, request.path_params["model"])
        return counts(len(items), refused, errors)

    async def _lines(self, request: Request, space: Space) -> Response:
        """Read lines as they come; what waits for the disk is bounded, and so slows the sender."""
        lane = await self._intake.lane(space, request.path_params["model"])
        lines, under_way = Lines(), deque[Waiting]()
        accepted = 0

        async def flush(items: list[Pair]) -> None:
            nonlocal accepted
            await lane.check()
            if lane.full:
                await lane.room()
            waiting = Waiting(lane)
            lane.put(items, waiting.done)
            under_way.append(waiting)
            while len(under_way) > 4:
                await under_way.popleft().wait()
            accepted += len(items)

        async for chunk in request.stream():
            for items in lines.feed(chunk):
                await flush(items)
        for items in lines.end():
            await flush(items)
        await asyncio.gather(*(one.wait() for one in under_way))
        return counts(accepted, lines.refused, lines.errors)


def counts(accepted: int, refused: int, errors: list[dict[str, Any]]) -> Response:
    """Answer how many were kept, and what was wrong with the others."""
    content: dict[str, Any] = {"accepted": accepted, "refused": refused, "errors": errors}
    if refused and not accepted:
        content["error"] = errors[0]["error"]
        return json_answer(content, 422)
    return json_answer(content)


async def _replies_to(queue: asyncio.Queue[Reply], position: int, wait_s: float) -> list[Reply]:
    """Give the answers to what stands at that position: the first, and what came with it."""
    start = f"{position}."
    found: list[Reply] = []
    try:
        async with asyncio.timeout(wait_s):
            while not found:
                reply = await queue.get()
                if reply.output_id.startswith(start):
                    found.append(reply)
    except TimeoutError:
        return found
    while not queue.empty():
        reply = queue.get_nowait()
        if reply.output_id.startswith(start):
            found.append(reply)
    return found


def reply_json(reply: Reply) -> dict[str, Any]:
    """Give a reply as people and programs see it."""
    return {
        "id": reply.output_id,
        "instance": reply.instance,
        "time_s": reply.time_s,
        "content": msgspec.Raw(reply.content),
    }


def _wait_s(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= LONGEST_WAIT_S:
        raise BadRequest(
            f"wait_s={text[:30]} is no time to wait.", f"Give seconds, more than 0 and at most {LONGEST_WAIT_S:g}."
        )
    return value
