"""What is erased for good: a model whose time for being restored has passed, and all of an owner who has gone."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from nats.js.errors import NotFoundError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from realtime.service.access import person_of
from realtime.service.answers import json_answer
from realtime.service.app import Core
from realtime.service.errors import SpaceMissing
from realtime.service.spaces import Accounts, Space, broker_errors
from realtime.wire import BUNDLES, CHANGES, DEAD, IN, MODELS, OUT, PLACES, SKIPS, SNAPSHOTS, STATES, VERSIONS
from twinhub.errors import Forbidden

KEYED = (VERSIONS, SNAPSHOTS, SKIPS, PLACES)
log = logging.getLogger("realtime.erasing")


class Eraser:
    """Erases models and owners."""

    def __init__(
        self, core: Core, accounts: Accounts, disconnect: Callable[[str, str, str | None], object] | None
    ) -> None:
        self._core = core
        self._accounts = accounts
        self._disconnect = disconnect
        self.of_owner: list[Callable[[str], Awaitable[None]]] = []
        """Called with the name of an owner who is erased, for parts that keep something of their own."""
        self.of_model: list[Callable[[Space, str], Awaitable[None]]] = []
        """The same for a model."""

    def routes(self) -> list[BaseRoute]:
        """Name the addresses."""
        return [Route("/realtime/{owner}", self.owner, methods=["DELETE"])]

    async def owner(self, request: Request) -> Response:
        """Erase all that an owner has; for administrators."""
        if not person_of(request).admin or not person_of(request).may_write_realtime:
            raise Forbidden("Only an administrator erases somebody's real-time twins.", "Ask one.")
        owner = request.path_params["owner"]
        space = await self._core.spaces.find(owner)
        if space is None:
            raise SpaceMissing(f"'{owner[:100]}' has no real-time twins.", "Check the name.")
        if self._disconnect is not None:
            self._disconnect(owner, "", None)
        for call in self.of_owner:
            await call(owner)
        with broker_errors():
            for name in await _stream_names(space):
                await space.js.delete_stream(name)
        await self._core.spaces.forget(owner)
        self._core.intake.forget(owner)
        self._core.devices.forget(owner)
        await self._accounts.remove(owner)
        return json_answer({"erased": owner})

    async def model(self, space: Space, name: str) -> None:
        """Erase a model's messages, states, versions and keys; its record last, so that a crash leaves it to be done again."""
        if self._disconnect is not None:
            self._disconnect(space.owner, name, None)
        for call in self.of_model:
            await call(space, name)
        with broker_errors():
            for stream in (IN, OUT, DEAD, CHANGES):
                await space.js.purge_stream(stream, subject=f"{stream.lower()}.{name}")
            for bucket in KEYED:
                await space.kv(bucket)
                # Without the marks that deleting keys would leave: who comes next under this name would find them.
                await space.js.purge_stream(f"KV_{bucket}", subject=f"$KV.{bucket}.{name}.>")
            await _erase_objects(space, BUNDLES, f"{name}/")
            await _erase_objects(space, STATES, f"{name}/", f"{name}.")
            await self._core.devices.erase(space, name)
            await (await space.kv(MODELS)).purge(name)
        space.forget_model(name)
        log.info("a model of %s was erased", space.label)


async def _stream_names(space: Space) -> list[str]:
    return [info.config.name or "" for info in await space.js.streams_info()]


async def _erase_objects(space: Space, name: str, *starts: str) -> None:
    store = await space.js.object_store(name)
    try:
        objects = await store.list(ignore_deletes=True)
    except NotFoundError:
        return
    for one in objects:
        if one.name.startswith(starts):
            await store.delete(one.name)
