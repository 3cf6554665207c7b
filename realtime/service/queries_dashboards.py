"""Pages of widgets that people put together, kept in their owner's bucket; one that was deleted can be brought back."""

from __future__ import annotations

import re
import time
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

import msgspec
from nats.js.errors import BadRequestError, KeyDeletedError, KeyNotFoundError, KeyWrongLastSequenceError, NoKeysError
from nats.js.kv import KeyValue
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from realtime.errors import RealtimeError
from realtime.queries.questions import Aggregate
from realtime.service.access import person_of, space_of
from realtime.service.answers import json_answer
from realtime.service.errors import BadRequest
from realtime.service.spaces import Space, broker_errors
from realtime.wire import DASHBOARDS
from twinhub.bodies import read_body

LARGEST: Final = 256 * 1024
MOST: Final = 200
"""Dashboards of one owner."""
NAME: Final = re.compile(r"[^\x00-\x1f/\x7f]{1,80}")
Short = Annotated[str, msgspec.Meta(max_length=200)]


class Widget(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One part of a page, and what it asks."""

    kind: Literal["bar", "line", "area", "map", "table", "number"]
    model: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    question: dict[str, Any] = {}
    """As of aggregates; a map has a condition only."""
    title: Short = ""
    options: dict[str, Any] = {}
    """How it looks: the page's own."""
    id: Short = ""


class Dashboard(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A page."""

    title: Short = ""
    widgets: Annotated[list[Widget], msgspec.Meta(max_length=100)] = []


class _Kept(msgspec.Struct, kw_only=True):
    """A page as it stands in the bucket."""

    name: str
    content: msgspec.Raw
    changed_at: float
    changed_by: str
    deleted: bool = False
    """A note that it is gone; the one before it is what can be brought back."""


class _Condition(msgspec.Struct, forbid_unknown_fields=True):
    """What a map asks."""

    where: str = ""
    parameters: dict[str, Any] | list[Any] = {}
    limit: int = 0


class DashboardMissing(RealtimeError):
    """There is no dashboard of that name."""

    code = "dashboard_missing"
    status = 404


class DashboardChanged(RealtimeError):
    """Somebody else changed the dashboard meanwhile."""

    code = "dashboard_changed"
    status = 409


class Dashboards:
    """The addresses of dashboards."""

    def routes(self) -> list[BaseRoute]:
        """Name the addresses."""
        base = "/realtime/{owner}/dashboards"
        return [
            Route(base, self.list, methods=["GET"]),
            Route(f"{base}/{{name}}", self.get, methods=["GET"]),
            Route(f"{base}/{{name}}", self.put, methods=["PUT"]),
            Route(f"{base}/{{name}}", self.delete, methods=["DELETE"]),
            Route(f"{base}/{{name}}/restore", self.restore, methods=["POST"]),
        ]

    async def list(self, request: Request) -> Response:
        """Answer which there are, and which were deleted and can be brought back."""
        space = await space_of(request)
        kept = [msgspec.json.decode(value, type=_Kept) for _, value in await space.entries(DASHBOARDS)]
        kept.sort(key=lambda one: one.name.casefold())
        shown: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
        for one in kept:
            shown[one.deleted].append(_about(one))
        return json_answer({"dashboards": shown[False], "deleted": shown[True]})

    async def get(self, request: Request) -> Response:
        """Answer one."""
        space, name = await space_of(request), _name(request)
        kept, revision = await _find(space, name)
        return _answer(kept, revision)

    async def put(self, request: Request) -> Response:
        """Write one; with If-Match only where nobody else did meanwhile."""
        space, name = await space_of(request), _name(request)
        content = read_dashboard(await read_body(request, LARGEST))
        expected = request.headers.get("if-match", "").strip('W/"')
        if expected and not expected.isdecimal():
            raise BadRequest("If-Match is no revision of a dashboard.", "Send the ETag that came with it.")
        kept = _Kept(name=name, content=content, changed_at=time.time(), changed_by=person_of(request).name)
        revision = await _write(space, kept, int(expected) if expected else None)
        return _answer(kept, revision)

    async def delete(self, request: Request) -> Response:
        """Delete one; it can be brought back."""
        space, name = await space_of(request), _name(request)
        kept, revision = await _find(space, name)
        gone = msgspec.structs.replace(kept, deleted=True, changed_at=time.time(), changed_by=person_of(request).name)
        await _write(space, gone, revision)
        return json_answer({"deleted": name, "restore": f"{request.url.path}/restore"})

    async def restore(self, request: Request) -> Response:
        """Bring a deleted one back as it was."""
        space, name = await space_of(request), _name(request)
        kept, revision = await _find(space, name, deleted=True)
        back = msgspec.structs.replace(kept, deleted=False, changed_at=time.time(), changed_by=person_of(request).name)
        return _answer(back, await _write(space, back, revision))


def read_dashboard(data: bytes) -> msgspec.Raw:
    """Check a page; raises BadRequest, which names what does not fit."""
    try:
        page = msgspec.json.decode(data, type=Dashboard)
        for at, widget in enumerate(page.widgets):
            try:
                msgspec.convert(_asked(widget), _Condition if widget.kind == "map" else Aggregate)
            except msgspec.ValidationError as error:
                raise BadRequest(
                    f"The question of widget {at + 1} does not fit: {error}.", "Write it as for aggregates."
                ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        example = '{"title": "Grid", "widgets": [{"kind": "number", "model": "Node", "question": {"measures": [{"of": "count"}]}}]}'
        raise BadRequest(f"This is no dashboard: {error}.", f"Send it as {example}.") from error
    return msgspec.Raw(msgspec.json.encode(page))


def _asked(widget: Widget) -> dict[str, Any]:
    return widget.question if widget.kind == "map" else {**widget.question, "type": "aggregate"}


async def _find(space: Space, name: str, *, deleted: bool = False) -> tuple[_Kept, int]:
    bucket = await space.kv(DASHBOARDS)
    try:
        with broker_errors():
            entry = await bucket.get(_key(name))
    except (KeyNotFoundError, KeyDeletedError) as error:
        raise _missing(name) from error
    kept = msgspec.json.decode(entry.value or b"{}", type=_Kept)
    if kept.deleted is not deleted:
        raise _missing(name)
    return kept, entry.revision or 0


async def _write(space: Space, kept: _Kept, revision: int | None) -> int:
    """Write a page, where given only over that revision; raises DashboardChanged."""
    bucket = await space.kv(DASHBOARDS)
    data = msgspec.json.encode(kept)
    try:
        with broker_errors():
            if revision is not None:
                return await bucket.update(_key(kept.name), data, last=revision)
            await _check_room(bucket, _key(kept.name))
            return await bucket.put(_key(kept.name), data)
    except (KeyWrongLastSequenceError, BadRequestError) as error:
        raise DashboardChanged(
            f"The dashboard '{kept.name}' was changed meanwhile.", "Load it again, and make your change there."
        ) from error


async def _check_room(bucket: KeyValue, key: str) -> None:
    try:
        keys = await bucket.keys()
    except NoKeysError:
        return
    if key not in keys and len(keys) >= MOST:
        raise BadRequest(f"There are {MOST} dashboards, deleted ones too.", "Write over one of them.")


def _about(kept: _Kept) -> dict[str, Any]:
    page = msgspec.json.decode(kept.content, type=Dashboard)
    return {
        "name": kept.name,
        "title": page.title,
        "widgets": len(page.widgets),
        "changed_at": kept.changed_at,
        "changed_by": kept.changed_by,
    }


def _answer(kept: _Kept, revision: int) -> Response:
    answer = json_answer({**msgspec.json.decode(kept.content), "name": kept.name, "changed_at": kept.changed_at})
    answer.headers["etag"] = f'"{revision}"'
    return answer


def _name(request: Request) -> str:
    name: str = request.path_params["name"]
    if NAME.fullmatch(name) is None:
        raise BadRequest("This is no name for a dashboard.", "It has 1 to 80 characters and no slash.")
    return name


def _key(name: str) -> str:
    """Give a name's key in the bucket, which takes letters, digits and few signs only."""
    return quote(name, safe="").replace(".", "%2E").replace("~", "%7E").replace("%", "=")


def _missing(name: str) -> DashboardMissing:
    return DashboardMissing(f"There is no dashboard '{name}'.", "See which there are: GET /realtime/OWNER/dashboards.")
