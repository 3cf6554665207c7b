"""Alerts over HTTP: looked at, acknowledged, resolved, and followed live."""

from __future__ import annotations

import asyncio
import time

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from realtime.outputs import Severity
from realtime.service.access import person_of, space_of
from realtime.service.alerts.errors import AlertRefused
from realtime.service.alerts.feed import events
from realtime.service.alerts.models import Matter, MatterState, Notice
from realtime.service.alerts.requests import MOST_AT_ONCE, DecisionBody, read_body, read_filter
from realtime.service.alerts.service import Alerts
from realtime.service.alerts.thing_routes import ThingRoutes

ALERTS = "/realtime/{owner}/alerts"


def answer(content: object, status: int = 200) -> Response:
    """Give JSON that nobody keeps."""
    body = msgspec.json.encode(content)
    return Response(body, status, media_type="application/json", headers={"Cache-Control": "no-store"})


class AlertRoutes:
    """All addresses of alerts, rules, silences and deliveries."""

    def __init__(self, alerts: Alerts) -> None:
        self._alerts = alerts
        self._things = ThingRoutes(alerts, answer)

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route(ALERTS, self.page, methods=["GET"]),
            Route(f"{ALERTS}/stream", self.stream, methods=["GET"]),
            Route(f"{ALERTS}/acknowledge", self.decide_many, methods=["POST"], name="acknowledge"),
            Route(f"{ALERTS}/resolve", self.decide_many, methods=["POST"], name="resolve"),
            Route(f"{ALERTS}/{{alert:int}}/acknowledge", self.acknowledge, methods=["POST"]),
            Route(f"{ALERTS}/{{alert:int}}/resolve", self.resolve, methods=["POST"]),
            Route("/realtime/{owner}/deliveries/{thing}/test", self.test, methods=["POST"]),
            *self._things.routes(),
        ]

    async def page(self, request: Request) -> Response:
        """Give one page, how many there are, and how many are live."""
        book = await self._alerts.book(await space_of(request))
        found, total, counts = await asyncio.to_thread(book.find, read_filter(request))
        return answer({"alerts": found, "total": total, "live": counts})

    async def stream(self, request: Request) -> Response:
        """Follow changes as server-sent events."""
        space = await space_of(request)
        person = person_of(request).name
        self._alerts.feed.check(person)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(
            events(self._alerts.feed, space.owner, person), media_type="text/event-stream", headers=headers
        )

    async def acknowledge(self, request: Request) -> Response:
        """Acknowledge one."""
        return await self._decide(request, MatterState.ACKNOWLEDGED, [request.path_params["alert"]])

    async def resolve(self, request: Request) -> Response:
        """Resolve one."""
        return await self._decide(request, MatterState.RESOLVED, [request.path_params["alert"]])

    async def decide_many(self, request: Request) -> Response:
        """Acknowledge or resolve those that the body names."""
        state = MatterState.RESOLVED if request.url.path.endswith("/resolve") else MatterState.ACKNOWLEDGED
        return await self._decide(request, state, None)

    async def _decide(self, request: Request, state: MatterState, ids: list[int] | None) -> Response:
        space = await space_of(request)
        body = await read_body(request, DecisionBody)
        chosen = body.ids if ids is None else ids
        if not 1 <= len(chosen) <= MOST_AT_ONCE or not all(0 < one < 2**62 for one in chosen):
            raise AlertRefused(f"{len(chosen)} alerts were named.", f"Give 1 to {MOST_AT_ONCE} numbers in 'ids'.")
        book = await self._alerts.book(space)
        changes = await asyncio.to_thread(book.decide, chosen, state, by=person_of(request).name, note=body.note)
        self._alerts.tell(space, changes)
        return answer({"changed": [matter for _, matter in changes]})

    async def test(self, request: Request) -> Response:
        """Send a test now."""
        space = await space_of(request)
        book = await self._alerts.book(space)
        now_s = time.time()
        matter = Matter(
            id=0,
            model="Test",
            instance="test",
            key="test",
            state=MatterState.OPEN,
            severity=Severity.NOTE,
            text=f"A test of {person_of(request).name}: alerts arrive here.",
            details={},
            first_s=now_s,
            last_s=now_s,
            count=1,
        )
        notice = Notice(id=f"test-{int(now_s * 1000)}", what="test", owner=space.owner, matter=matter)
        text = await self._alerts.sender.test(book, request.path_params["thing"], notice)
        return answer({"result": text})
