"""Models by HTTP: what is deployed and how it is; deploy, roll back, switch on and off, delete, restore."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from realtime.service.access import person_of, space_of
from realtime.service.answers import json_answer
from realtime.service.assets import Assets
from realtime.service.bundles import LARGEST_BUNDLE, decoded_files, make_wish, read_deployment
from realtime.service.deploying import Deploying
from realtime.service.errors import BadRequest
from realtime.service.health import model_json
from realtime.wire import WorkerRecord
from twinhub.bodies import read_body

SMALL: Final = 4096


class Rollback(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST rollback."""

    version: int


class Models:
    """The addresses of models."""

    def __init__(
        self,
        deploying: Deploying,
        assets: Assets,
        host_of: Callable[[str], dict[str, str]],
        mqtt: dict[str, Any] | None = None,
    ) -> None:
        self._deploying = deploying
        self._assets = assets
        self._host_of = host_of
        self._turns: dict[str, asyncio.Lock] = {}
        self._mqtt = mqtt
        """Where devices reach us by MQTT, None where they do not."""

    def routes(self) -> list[BaseRoute]:
        """Name the addresses."""
        models = "/realtime/{owner}/models"
        model = f"{models}/{{model}}"
        return [
            Route(models, self.listed, methods=["GET"]),
            Route(models, self.deploy, methods=["POST"]),
            Route(model, self.one, methods=["GET"]),
            Route(model, self.remove, methods=["DELETE"]),
            Route(f"{model}/restore", self.restore, methods=["POST"]),
            Route(f"{model}/rollback", self.rollback, methods=["POST"]),
            Route(f"{model}/enable", self.enable, methods=["POST"]),
            Route(f"{model}/disable", self.disable, methods=["POST"]),
        ]

    async def listed(self, request: Request) -> Response:
        """Give all models of an owner."""
        space = await space_of(request)
        records, workers = await asyncio.gather(space.models(), space.workers())
        host = self._host_of(space.owner)
        theirs: dict[str, list[WorkerRecord]] = {}
        for one in workers:
            theirs.setdefault(one.model, []).append(one)
        found = [model_json(record, theirs.get(record.name, []), host) for record in records]
        return json_answer({"models": found, "host": host})

    async def one(self, request: Request) -> Response:
        """Give one model in full."""
        space, name = await space_of(request), request.path_params["model"]
        record = await space.model(name, fresh=True)
        workers, versions = await asyncio.gather(space.workers(name), self._deploying.versions(space, name))
        host = self._host_of(space.owner)
        current = next((one for one in versions if one.version == record.version), None)
        shown = [
            {key: value for key, value in msgspec.structs.asdict(one).items() if key != "schema"} for one in versions
        ]
        content = {
            **model_json(record, workers, host),
            "workers": workers,
            "versions": shown,
            "schema": current.schema if current else {},
            "host": host,
            "mqtt": self._mqtt,
        }
        return json_answer(content)

    async def deploy(self, request: Request) -> Response:
        """Deploy a new version of a model, or its first one."""
        space, user = await space_of(request), person_of(request)
        # One at a time for an owner, from the reading on: each may have all its files in memory.
        async with self._turns.setdefault(space.owner, asyncio.Lock()):
            found = read_deployment(await read_body(request, LARGEST_BUNDLE * 4 // 3))
            files = await self._assets.fetch(user, found.asset) if found.asset else decoded_files(found)
            version = await self._deploying.deploy(space, make_wish(found, files, user.name))
        return json_answer({"name": version.name, "version": version.version, "schema": version.schema}, 201)

    async def rollback(self, request: Request) -> Response:
        """Switch to a version that there has been."""
        space, user = await space_of(request), person_of(request)
        try:
            version = msgspec.json.decode(await read_body(request, SMALL), type=Rollback).version
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadRequest(f"This names no version: {str(error)[:200]}", 'Send {"version": 1}.') from error
        record = await self._deploying.rollback(space, request.path_params["model"], version, user.name)
        return json_answer({"name": record.name, "version": record.version})

    async def enable(self, request: Request) -> Response:
        """Let it take messages."""
        return await self._change(request, enabled=True)

    async def disable(self, request: Request) -> Response:
        """Stop its workers; its states stay, and it takes no messages."""
        return await self._change(request, enabled=False)

    async def remove(self, request: Request) -> Response:
        """Stop it, and erase it when the time for restoring it has passed."""
        return await self._change(request, removed_at=time.time())

    async def restore(self, request: Request) -> Response:
        """Take a deletion back."""
        return await self._change(request, removed_at=None)

    async def _change(self, request: Request, **changes: Any) -> Response:
        space, user = await space_of(request), person_of(request)
        record = await self._deploying.change(space, request.path_params["model"], user.name, **changes)
        return json_answer(model_json(record, await space.workers(record.name), self._host_of(space.owner)))
