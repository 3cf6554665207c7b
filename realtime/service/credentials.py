"""Keys of devices by HTTP: given once, renewed by asking again, ended by deleting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from realtime.service.access import space_of
from realtime.service.answers import json_answer
from realtime.service.devices import Devices
from realtime.service.errors import BadRequest, InstanceMissing
from realtime.service.messages import check_instance
from twinhub.bodies import read_body

MOST: Final = 10_000
LARGEST: Final = 4 * 1024 * 1024
PAGE: Final = 1000


class Wanted(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST credentials."""

    instances: list[str] = []
    instance: str = ""


class Credentials:
    """The addresses of devices' keys."""

    def __init__(self, devices: Devices, disconnect: Callable[[str, str, str | None], object] | None) -> None:
        self._devices = devices
        self._disconnect = disconnect

    def routes(self) -> list[BaseRoute]:
        """Name the addresses."""
        address = "/realtime/{owner}/models/{model}/credentials"
        return [
            Route(address, self.listed, methods=["GET"]),
            Route(address, self.issue, methods=["POST"]),
            Route(address, self.revoke, methods=["DELETE"]),
        ]

    async def listed(self, request: Request) -> Response:
        """Give who has a key, never the keys: ?after=ID gives the next page."""
        space, model = await space_of(request), request.path_params["model"]
        await space.model(model)
        after = request.query_params.get("after", "")
        found = [(name, one) for name, one in await self._devices.listed(space, model) if name > after]
        shown = [
            {"instance": name, "generation": one.generation, "made_at": one.issued_at} for name, one in found[:PAGE]
        ]
        return json_answer({"credentials": shown, "more": len(found) > PAGE})

    async def issue(self, request: Request) -> Response:
        """Give keys, which are shown this once; a key that a device had ends."""
        space, model = await space_of(request), request.path_params["model"]
        try:
            wanted = msgspec.json.decode(await read_body(request, LARGEST), type=Wanted)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadRequest(f"This names no devices: {str(error)[:200]}", 'Send {"instances": ["…"]}.') from error
        names = [*wanted.instances, *([wanted.instance] if wanted.instance else [])]
        if not 1 <= len(names) <= MOST:
            raise BadRequest(f"{len(names)} devices are named.", f"Name 1 to {MOST} at a time.")
        for name in names:
            check_instance(name)
        await space.model(model)
        keys = await self._devices.issue(space, model, names)
        self._end(space.owner, model, names)
        shown = [{"instance": name, "user": f"{space.owner}/{model}/{name}", "key": key} for name, key in keys.items()]
        return json_answer({"credentials": shown, **(shown[0] if len(shown) == 1 else {})}, 201)

    async def revoke(self, request: Request) -> Response:
        """End the key of ?instance=ID."""
        space, model = await space_of(request), request.path_params["model"]
        name = check_instance(request.query_params.get("instance", ""))
        await space.model(model)
        if not await self._devices.revoke(space, model, [name]):
            raise InstanceMissing(f"'{name}' has no key.", "Look at who has one.")
        self._end(space.owner, model, [name])
        return json_answer({"revoked": name})

    def _end(self, owner: str, model: str, names: list[str]) -> None:
        if self._disconnect is not None:
            for name in names:
                self._disconnect(owner, model, name)
