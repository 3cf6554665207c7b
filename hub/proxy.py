"""The hub's side of the gateway: routes written into the folder that Traefik watches."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from jupyterhub import orm
from jupyterhub.utils import url_escape_path
from jupyterhub_traefik_proxy.fileprovider import TraefikFileProviderProxy
from jupyterhub_traefik_proxy.traefik_utils import TraefikConfigFileHandler
from traitlets import Int, Unicode, default, observe

from gateway import INNER_ENTRY_POINT, WORKSPACE_MIDDLEWARES

WRITTEN_AGAIN_S: Final = 3.0


class _SharedFile(TraefikConfigFileHandler):
    """Write routes so that the gateway's own account can read them, and nobody else.

    The file holds the hash of the gateway API's password, and the stock
    handler writes it readable by the hub's account only.
    """

    def __init__(self, file: str, group_id: int) -> None:
        super().__init__(file)
        self._group_id = group_id

    def atomic_dump(self, data: dict[str, Any]) -> None:
        target = Path(self.file_path)
        descriptor, part = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
        try:
            with os.fdopen(descriptor, "w") as stream:
                self._dump(data, stream)
                # The hub is a member of the gateway's group, see twinhub/operate/programs.py.
                os.fchown(stream.fileno(), -1, self._group_id)
                os.fchmod(stream.fileno(), 0o640)
            Path(part).rename(target)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise


class GatewayProxy(TraefikFileProviderProxy):
    """Traefik as a process of its own, told about routes by a file.

    Each route stands there twice: for browsers, and for our own processes, which
    come by an entry point of their own. A named workspace that does not run has a
    route to the hub, which says why: without it the person's own workspace, whose
    addresses include all of theirs, would know nothing of it.
    """

    gateway_group_id = Int(config=True, help="Group that may read the routes.")
    owner_question = Unicode(
        config=True,
        help="Where the gateway asks whether a browser is an owner's, the name to be appended; "
        "empty where each workspace has a host of its own.",
    )

    @default("dynamic_config_handler")
    def _handler(self) -> _SharedFile:
        return _SharedFile(self.dynamic_config_file, self.gateway_group_id)

    @observe("dynamic_config_file")
    def _set_dynamic_config_file(self, change: Any) -> None:
        self.dynamic_config_handler = self._handler()

    @default("dynamic_config")
    def _routes_as_of_now(self) -> dict[str, Any]:
        """Write each known route anew, as an older version may have written it otherwise."""
        config: dict[str, Any] = self._load_dynamic_config()
        config["http"] = {"routers": {}, "services": {}, "middlewares": {}}
        for route in list(config["jupyterhub"]["routes"].values()):
            ours, _ = self._dynamic_config_for_route(route["routespec"], route["target"], route["data"])
            for section, parts in ours["http"].items():
                config["http"][section] |= parts
        return config

    async def add_user(self, user: Any, server_name: str = "") -> None:
        """Lead to a workspace that is ready now."""
        spec = _spec(user, server_name)
        if spec in self._stopped():
            await self.delete_route(spec)  # the new one would be merged into it
        await super().add_user(user, server_name)

    async def delete_user(self, user: Any, server_name: str = "") -> None:
        """Lead to a workspace no longer."""
        await super().delete_user(user, server_name)
        if server_name:
            await self._lead_to_hub(user, server_name)

    async def check_routes(self, user_dict: Any, service_dict: Any, routes: Any = None) -> None:
        """Put right what differs from what runs, and the ways to what does not run."""
        await super().check_routes(user_dict, service_dict, routes)
        there, wanted = self._stopped(), set()
        for row in self.db.query(orm.Spawner).filter(orm.Spawner.name != "", orm.Spawner.server_id.is_(None)):
            user = self.app.users[row.user]
            wanted.add(_spec(user, row.name))
            begun = user.spawners.get(row.name)  # an index would make one for each that nobody uses
            if _spec(user, row.name) not in there and not (begun and begun.active):
                await self._lead_to_hub(user, row.name)
        for spec in there - wanted:
            await self.delete_route(spec)

    async def get_all_routes(self) -> dict[str, Any]:
        """Give what leads to something that runs, which is all that the hub itself knows of."""
        hidden = self._stopped()
        return {spec: route for spec, route in (await super().get_all_routes()).items() if spec not in hidden}

    def _stopped(self) -> set[str]:
        routes = self.dynamic_config["jupyterhub"]["routes"].values()
        return {route["routespec"] for route in routes if route["data"].get("stopped")}

    async def _lead_to_hub(self, user: Any, server_name: str) -> None:
        """Write the way without waiting for the gateway: a stop goes on while that is away."""
        data = {"user": user.name, "server_name": server_name, "stopped": True}
        spec = _spec(user, server_name)
        await self._apply_dynamic_config(*self._dynamic_config_for_route(spec, self.hub.host, data))

    def _persist_dynamic_config(self) -> None:
        """Write all routes; where there is no room for them they are written as soon as there is.

        A way that is missing, or leads nowhere, until then is told in words; a
        stop or start that fails half-way because of it would be worse.
        """
        try:
            super()._persist_dynamic_config()
        except OSError as error:
            self.log.warning("The routes cannot be written (%s), so they are tried again.", error.strerror)
            asyncio.get_running_loop().call_later(WRITTEN_AGAIN_S, self._persist_dynamic_config)

    def _dynamic_config_for_route(
        self, routespec: str, target: str, data: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        traefik_config, jupyterhub_config = super()._dynamic_config_for_route(routespec, target, data)
        http = traefik_config["http"]
        for name, router in list(http["routers"].items()):
            http["routers"][_inner(name)] = {**router, "entryPoints": [INNER_ENTRY_POINT]}
            router["middlewares"] = list(WORKSPACE_MIDDLEWARES)
            if self.owner_question and not data.get("hub"):
                asking = f"{self.owner_question}/{quote(data.get('user', ''), safe='')}"
                # The way to the sign-in is meant for the browser, as it stands.
                question = {"address": asking, "preserveLocationHeader": True}
                http["middlewares"] = {_owner(name): {"forwardAuth": question}}
                router["middlewares"].append(_owner(name))
        return traefik_config, jupyterhub_config

    def _keys_for_route(self, routespec: str) -> tuple[tuple[list[str], ...], tuple[list[str], ...]]:
        traefik_keys, jupyterhub_keys = super()._keys_for_route(routespec)
        inner = [[*path[:-1], _inner(path[-1])] for path in traefik_keys if path[1] == "routers"]
        questions = [["http", "middlewares", _owner(path[-1])] for path in traefik_keys if path[1] == "routers"]
        there = [path for path in questions if path[-1] in self.dynamic_config["http"].get("middlewares", {})]
        return (*traefik_keys, *inner, *there), jupyterhub_keys


def _spec(user: Any, server_name: str) -> str:
    spec: str = user.proxy_spec
    return f"{spec}{url_escape_path(server_name)}/" if server_name else spec


def _inner(name: str) -> str:
    return f"{name}-inner"


def _owner(name: str) -> str:
    return f"{name}-owner"
