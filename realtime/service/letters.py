"""Messages that were put aside: looked at, and sent again when the model has learned to handle them."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import msgspec
from nats.errors import TimeoutError as NatsTimeout
from nats.js import api
from nats.js.errors import FetchTimeoutError, NotFoundError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from realtime.outputs import DeadLetter
from realtime.partition import LONGEST_KEPT
from realtime.service.access import space_of
from realtime.service.answers import json_answer
from realtime.service.errors import BadRequest
from realtime.service.intake import Intake
from realtime.service.spaces import Space, broker_errors
from realtime.wire import DEAD
from twinhub.bodies import read_body

PAGE: Final = 100
MOST: Final = 1000
FETCH_S: Final = 2.0
WIDER: Final = 4
"""The stream holds letters of all models; where too few are among the last ones, so many times more are looked through."""

Found = list[tuple[int, DeadLetter]]


class Retry(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST dead-letters/retry."""

    positions: list[int] = []
    """Those of the list; none for the newest ones, at most MOST."""


class Letters:
    """The addresses of messages that were put aside."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def routes(self) -> list[BaseRoute]:
        """Name the addresses."""
        address = "/realtime/{owner}/models/{model}/dead-letters"
        return [
            Route(address, self.listed, methods=["GET"]),
            Route(address, self.drop, methods=["DELETE"]),
            Route(f"{address}/retry", self.retry, methods=["POST"]),
        ]

    async def listed(self, request: Request) -> Response:
        """Give them, the newest first; ?before=POSITION gives the next page."""
        space, model = await space_of(request), request.path_params["model"]
        await space.model(model)
        limit = _number(request, "limit", PAGE, MOST)
        found = await read_letters(space, model, limit, _number(request, "before", 2**62, 2**62))
        shown = [_shown(position, letter) for position, letter in found]
        return json_answer({"dead_letters": shown, "next": found[-1][0] if len(found) == limit else None})

    async def retry(self, request: Request) -> Response:
        """Send them again as they came; those that the model refuses anew come back."""
        space, model = await space_of(request), request.path_params["model"]
        try:
            wanted = msgspec.json.decode(await read_body(request, 64 * 1024) or b"{}", type=Retry)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadRequest(f"This names no letters: {str(error)[:200]}", 'Send {"positions": [1, 2]}.') from error
        found = (
            await _named(space, model, wanted.positions) if wanted.positions else await read_letters(space, model, MOST)
        )
        sent, kept = 0, Counter[str]()
        for position, letter in reversed(found):
            if hindrance := _hindrance(letter):
                kept[hindrance] += 1
                continue
            await self._intake.accept(space, model, [(letter.instance, letter.content)])
            await _delete(space, position)
            sent += 1
        why = {"why": dict(kept)} if kept else {}
        return json_answer({"sent": sent, "kept": kept.total(), **why})

    async def drop(self, request: Request) -> Response:
        """Throw one away, ?position=, or all."""
        space, model = await space_of(request), request.path_params["model"]
        await space.model(model)
        if "position" in request.query_params:
            found = await _named(space, model, [_number(request, "position", 0, 2**62)])
            for position, _ in found:
                await _delete(space, position)
            return json_answer({"dropped": len(found)})
        with broker_errors():
            await space.js.purge_stream(DEAD, subject=f"dead.{model}")
        return json_answer({"dropped": "all"})


async def read_letters(space: Space, model: str, limit: int, before: int = 2**62) -> Found:
    """Give the newest letters of a model below a position, with their positions, the newest first."""
    with broker_errors():
        state = (await space.js.stream_info(DEAD)).state
        end, width = min(before, state.last_seq + 1), limit
        while True:
            start = max(state.first_seq, end - width, 1)
            found = await _range(space, model, start, end)
            if len(found) >= limit or start <= max(state.first_seq, 1):
                return found[::-1][:limit]
            width *= WIDER


async def _range(space: Space, model: str, start: int, end: int) -> Found:
    """Give a model's letters between two positions, the oldest first, each once."""
    config = api.ConsumerConfig(
        deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=start,
        ack_policy=api.AckPolicy.NONE,
        inactive_threshold=10,
        mem_storage=True,
    )
    found: dict[tuple[str, str], tuple[int, DeadLetter]] = {}
    subscription = await space.js.pull_subscribe(f"dead.{model}", stream=DEAD, config=config)
    try:
        waiting = (await subscription.consumer_info()).num_pending
        while waiting:
            messages = await subscription.fetch(min(waiting, 500), timeout=FETCH_S)
            for message in messages:
                position = message.metadata.sequence.stream
                letter = _read(message.data)
                if position < end and letter is not None:
                    found.setdefault((letter.instance, letter.output_id), (position, letter))
            waiting = messages[-1].metadata.num_pending if messages[-1].metadata.sequence.stream < end else 0
    except (FetchTimeoutError, NatsTimeout):
        pass
    finally:
        await subscription.unsubscribe()
    return list(found.values())


async def _named(space: Space, model: str, positions: list[int]) -> Found:
    found: Found = []
    for position in positions[:MOST]:
        try:
            with broker_errors():
                message = await space.js.get_msg(DEAD, seq=position)
        except NotFoundError:
            continue
        letter = _read(message.data or b"")
        if message.subject == f"dead.{model}" and letter is not None:
            found.append((position, letter))
    return found


async def _delete(space: Space, position: int) -> None:
    with broker_errors():
        await space.js.delete_msg(DEAD, position)


def _hindrance(letter: DeadLetter) -> str:
    """Say why a letter cannot be sent again; '' where it can."""
    if not letter.again:
        return "it never reached an instance of this model"
    if not letter.content:
        return "it is a timer's failure, which has no message"
    return "it was too long to be kept whole" if len(letter.content) >= LONGEST_KEPT else ""


def _read(data: bytes) -> DeadLetter | None:
    try:
        return msgspec.json.decode(data, type=DeadLetter)
    except (msgspec.DecodeError, RecursionError):
        return None


def _shown(position: int, letter: DeadLetter) -> dict[str, Any]:
    return {
        "position": position,
        "output_id": letter.output_id,
        "instance": letter.instance,
        "time_s": letter.time_s,
        "field": letter.field,
        "reason": letter.reason,
        "content": letter.content.decode(errors="replace"),
        "again": not _hindrance(letter),
    }


def _number(request: Request, name: str, usual: int, most: int) -> int:
    text = request.query_params.get(name)
    if text is None or text == "":
        return usual
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:20]) <= most:
        raise BadRequest(f"{name}={text[:30]} is no number that can be.", f"Give 1 to {most}.")
    return int(text)
