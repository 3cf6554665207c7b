"""Rules, silences and deliveries over HTTP; what is removed can be brought back for a week."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from realtime.service.access import person_of, space_of
from realtime.service.alerts import outbox, things
from realtime.service.alerts.book import Book
from realtime.service.alerts.models import Delivery, DeliveryKind, Rule, Silence
from realtime.service.alerts.requests import (
    DeliveryBody,
    RuleBody,
    SilenceBody,
    make_delivery,
    make_rule,
    make_secret,
    make_silence,
    read_body,
)
from realtime.service.alerts.rules import Rules
from realtime.service.alerts.service import Alerts
from realtime.service.spaces import Space

KINDS: Final[dict[str, type[Any]]] = {"rules": Rule, "silences": Silence, "deliveries": Delivery}
Answer = Callable[..., Response]
Made = tuple[Any, bytes | None]
Kind = TypeVar("Kind")


class ThingRoutes:
    """GET lists, POST makes, PUT changes, DELETE removes, POST …/restore brings back."""

    def __init__(self, alerts: Alerts, answer: Answer) -> None:
        self._alerts = alerts
        self._answer = answer
        self._makers: dict[str, Callable[[Request, Space, str | None], Awaitable[Made]]] = {
            "rules": self._make_rule,
            "silences": self._make_silence,
            "deliveries": self._make_delivery,
        }

    def routes(self) -> list[Route]:
        """Give the routes of all three."""
        found = []
        for word in KINDS:
            path = f"/realtime/{{owner}}/{word}"
            changing = ["DELETE"] if word == "silences" else ["PUT", "DELETE"]
            found += [
                Route(path, self._of(word, self.collection), methods=["GET", "POST"]),
                Route(f"{path}/{{thing}}", self._of(word, self.single), methods=changing),
                Route(f"{path}/{{thing}}/restore", self._of(word, self.restore), methods=["POST"]),
            ]
        return found

    @staticmethod
    def _of(word: str, call: Callable[[Request, str], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            return await call(request, word)

        return endpoint

    async def collection(self, request: Request, word: str) -> Response:
        """List all, or make one."""
        space = await space_of(request)
        book = await self._alerts.book(space)
        if request.method == "POST":
            made, secret = await self._makers[word](request, space, None)
            await asyncio.to_thread(self._put, book, made, secret)
            shown = msgspec.to_builtins(made)
            return self._answer(_with_secret(shown, made, secret), 201)
        removed = request.query_params.get("removed") == "true"
        return self._answer({word: await asyncio.to_thread(self._list, book, word, removed=removed)})

    async def single(self, request: Request, word: str) -> Response:
        """Change or remove one."""
        space = await space_of(request)
        book, name = await self._alerts.book(space), request.path_params["thing"]
        if request.method == "DELETE":
            await asyncio.to_thread(self._remove, book, word, name)
            await self._end_rule(space, book, word, name, "The rule was removed.")
            return self._answer({"removed": name, "restore_within_s": things.UNDO_S})
        await asyncio.to_thread(self._existing, book, word, name)
        made, secret = await self._makers[word](request, space, name)
        await asyncio.to_thread(self._put, book, made, secret)
        await self._end_rule(space, book, word, name, "The rule was changed.")
        return self._answer(_with_secret(msgspec.to_builtins(made), made, secret))

    async def restore(self, request: Request, word: str) -> Response:
        """Bring back what was removed."""
        book = await self._alerts.book(await space_of(request))
        name = request.path_params["thing"]
        await asyncio.to_thread(self._restore, book, word, name)
        return self._answer({"restored": name})

    async def _end_rule(self, space: Space, book: Book, word: str, name: str, note: str) -> None:
        if word == "rules":
            self._alerts.tell(space, await asyncio.to_thread(Rules.resolve_all, book, name, note))

    # --- making -----------------------------------------------------------------------------

    async def _make_rule(self, request: Request, space: Space, name: str | None) -> Made:
        rule = make_rule(await read_body(request, RuleBody), name)
        await space.model(rule.model)
        await self._alerts.check_where(space, rule.model, rule.where)
        return rule, None

    async def _make_silence(self, request: Request, _: Space, __: str | None) -> Made:
        return make_silence(await read_body(request, SilenceBody), person_of(request).name), None

    async def _make_delivery(self, request: Request, space: Space, name: str | None) -> Made:
        book = await self._alerts.book(space)
        body = await read_body(request, DeliveryBody)
        made = make_delivery(body, self._alerts.settings.mail, name)
        old = None if name is None else await asyncio.to_thread(self._existing, book, "deliveries", name)
        # A password stays with the broker that it was given for: else whoever may change the address would have it sent to them.
        moved = old is None or (made.kind, made.url, made.user) != (old.kind, old.url, old.user)
        new = old is None or (moved and DeliveryKind.MQTT in {made.kind, old.kind})
        return made, make_secret(body, new=new)

    # --- in threads -------------------------------------------------------------------------

    @staticmethod
    def _list(book: Book, word: str, *, removed: bool) -> list[Any]:
        with book.database.reading() as connection:
            found = things.every(connection, KINDS[word], removed=removed)
            return outbox.with_results(connection, found) if word == "deliveries" else found

    @staticmethod
    def _put(book: Book, made: Any, secret: bytes | None) -> None:
        with book.database.transaction() as connection:
            things.purge(connection, time.time())
            things.put(connection, made, secret)

    @staticmethod
    def _existing(book: Book, word: str, name: str) -> Any:
        with book.database.reading() as connection:
            return things.get(connection, KINDS[word], name)

    @staticmethod
    def _remove(book: Book, word: str, name: str) -> None:
        with book.database.transaction() as connection:
            things.remove(connection, KINDS[word], name, time.time())

    @staticmethod
    def _restore(book: Book, word: str, name: str) -> None:
        with book.database.transaction() as connection:
            things.restore(connection, KINDS[word], name)


def _with_secret(shown: dict[str, Any], made: Any, secret: bytes | None) -> dict[str, Any]:
    """Show a webhook's secret this once, when it is made."""
    if secret and isinstance(made, Delivery) and made.kind is DeliveryKind.WEBHOOK:
        shown["secret"] = secret.decode()
    return shown
