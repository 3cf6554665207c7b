"""Questions about instances by HTTP: lists, single ones, aggregates, points, and streams of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from realtime.queries.questions import MOST_POINTS, Aggregate, Listing, Points, Sort
from realtime.service import addresses  # noqa: F401 - registers its kind of address
from realtime.service.access import allow, find_space, person_of
from realtime.service.answers import json_answer
from realtime.service.errors import BadRequest
from realtime.service.messages import check_instance
from realtime.service.queries import Queries
from realtime.service.queries_streams import Streams
from realtime.service.spaces import Space
from twinhub.bodies import read_body

LARGEST_QUESTION: Final = 64 * 1024
Events = Callable[[Space, str, str], Awaitable[list[dict[str, Any]]]]
Kind = TypeVar("Kind")


class QueryPages:
    """The addresses at which instances are asked for."""

    def __init__(self, queries: Queries, events: Events | None = None) -> None:
        self._queries = queries
        self._events = events
        self._streams = Streams()

    def routes(self) -> list[BaseRoute]:
        """Name the addresses."""
        model = "/realtime/{owner}/models/{model}"
        return [
            Route(f"{model}/fields", self.fields, methods=["GET"]),
            Route(f"{model}/instances", self.instances, methods=["GET"]),
            Route(f"{model}/aggregate", self.aggregate, methods=["POST"]),
            Route(f"{model}/aggregate/stream", self.aggregate_stream, methods=["GET"]),
            Route(f"{model}/points", self.points, methods=["GET"]),
            Route(f"{model}/instances/{{instance:instance}}/stream", self.instance_stream, methods=["GET"]),
            Route(f"{model}/instances/{{instance:instance}}", self.instance, methods=["GET"]),
        ]

    async def close(self) -> None:
        """End all streams' questions."""
        self._streams.close()

    async def fields(self, request: Request) -> Response:
        """Answer which fields a model's state has."""
        return json_answer(await self._queries.fields(await _space(request), request.path_params["model"]))

    async def instances(self, request: Request) -> Response:
        """Answer a page of instances."""
        space, given = await _space(request), request.query_params
        wish = {
            **_condition(given),
            "sort": [Sort(one.lstrip("-"), one.startswith("-")) for one in _names(given.get("sort", ""))],
            "offset": _number(given, "offset", 0),
            "limit": _number(given, "limit", 100),
            "fields": _names(given["fields"]) if given.get("fields") else None,
        }
        question = _read(msgspec.to_builtins(wish), Listing)
        return json_answer(await self._queries.instances(space, request.path_params["model"], question))

    async def instance(self, request: Request) -> Response:
        """Answer one instance in full, with its last events."""
        space, model = await _space(request), request.path_params["model"]
        instance = check_instance(request.path_params["instance"])
        found = await self._queries.instance(space, model, instance)
        found["events"] = [] if self._events is None else await self._events(space, model, instance)
        return json_answer(found)

    async def aggregate(self, request: Request) -> Response:
        """Answer groups with their measures."""
        space = await _space(request)
        question = _question(await read_body(request, LARGEST_QUESTION))
        return json_answer(await self._queries.aggregate(space, request.path_params["model"], question))

    async def points(self, request: Request) -> Response:
        """Answer points for a map."""
        space, given = await _space(request), request.query_params
        wish = {
            **_condition(given),
            "x": given.get("x", ""),
            "y": given.get("y", ""),
            "fields": _names(given.get("fields", "")),
            "limit": _number(given, "limit", MOST_POINTS),
        }
        question = _read(wish, Points)
        return json_answer(await self._queries.points(space, request.path_params["model"], question))

    async def aggregate_stream(self, request: Request) -> Response:
        """Push groups each second where they changed."""
        space, model = await _space(request), request.path_params["model"]
        question = _question(request.query_params.get("query", "").encode())
        await space.model(model)
        key = ("groups", space.owner, model, msgspec.json.encode(question, order="sorted"))
        return self._stream(request, self._streams.groups, key, lambda: self._queries.aggregate(space, model, question))

    async def instance_stream(self, request: Request) -> Response:
        """Push an instance's state when it changed."""
        space, model = await _space(request), request.path_params["model"]
        instance = check_instance(request.path_params["instance"])
        await space.model(model)
        key = ("state", space.owner, model, instance)
        return self._stream(request, self._streams.state, key, lambda: self._queries.instance(space, model, instance))

    def _stream(
        self,
        request: Request,
        push: Callable[[str, Any, Callable[[], Awaitable[dict[str, Any]]]], AsyncIterator[bytes]],
        key: Any,
        ask: Callable[[], Awaitable[dict[str, Any]]],
    ) -> Response:
        person = person_of(request).name
        self._streams.check(person)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(push(person, key, ask), media_type="text/event-stream", headers=headers)


async def _space(request: Request) -> Space:
    """Give the place of the address; asking is reading, whatever the method."""
    owner, user = request.path_params["owner"], person_of(request)
    allow(user, owner, "read")
    return await find_space(request, owner, user)


def _question(data: bytes) -> Aggregate:
    if len(data) > LARGEST_QUESTION:
        raise BadRequest("The question is too long.", f"Write at most {LARGEST_QUESTION} bytes.")
    try:
        wish = msgspec.json.decode(data or b"null")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"The question is no JSON: {error}.", 'Send: {"measures": [{"of": "count"}]}.') from error
    if not isinstance(wish, dict):
        raise BadRequest("The question is no JSON object.", 'Send: {"measures": [{"of": "count"}]}.')
    return _read(wish, Aggregate)


def _read(wish: dict[str, Any], kind: type[Kind]) -> Kind:
    try:
        return msgspec.convert({**wish, "type": kind.__struct_config__.tag}, kind)  # type: ignore[attr-defined]
    except msgspec.ValidationError as error:
        known = ", ".join(kind.__struct_fields__)  # type: ignore[attr-defined]
        raise BadRequest(f"The question does not fit: {error}.", f"It has: {known}.") from error


def _condition(given: Mapping[str, str]) -> dict[str, Any]:
    try:
        parameters = msgspec.json.decode(given.get("parameters") or "{}", type=dict[str, Any] | list[Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest(
            f"'parameters' is no JSON object or list: {error}.", 'Write: parameters={"limit": 100}.'
        ) from error
    return {"where": given.get("where", ""), "parameters": parameters}


def _names(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _number(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise BadRequest(f"'{name}' is '{text[:50]}', which is no whole number.", f"Write: {name}={default}.")
    return int(text)
