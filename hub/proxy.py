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
from traitlets import Dict, Int, Unicode, default, observe

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
    stopped: Any = Dict(help="The parts of the way to each named workspace that does not run, by its address.")
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
        self._forget_stopped(_spec(user, server_name))  # written down together with the new way
        await super().add_user(user, server_name)

    async def delete_user(self, user: Any, server_name: str = "") -> None:
        """Lead to a workspace no longer."""
        await super().delete_user(user, server_name)
        if server_name:
            await self._lead_to_hub([(user, server_name)])

    async def check_routes(self, user_dict: Any, service_dict: Any, routes: Any = None) -> None:
        """Put right what differs from what runs, and the ways to what does not run."""
        await super().check_routes(user_dict, service_dict, routes)
        missing, named = [], set()
        for row in self.db.query(orm.Spawner).filter(orm.Spawner.name != ""):
            user = self.app.users[row.user]
            named.add(_spec(user, row.name))
            begun = user.spawners.get(row.name)  # an index would make one for each that nobody uses
            if row.server_id is None and not (begun and begun.active) and _spec(user, row.name) not in self.stopped:
                missing.append((user, row.name))
        stale = set(self.stopped) - named
        for spec in stale:
            self._forget_stopped(spec)
        if missing or stale:
            await self._lead_to_hub(missing)

    async def _lead_to_hub(self, workspaces: list[tuple[Any, str]]) -> None:
        """Write ways to the hub, all at once and without waiting for the gateway: a stop goes on while that is away.

        They have names of their own, so that waiting for the way to a workspace that
        starts is not satisfied by the one that led to the hub before.
        """
        http: dict[str, dict[str, Any]] = {}
        for user, name in workspaces:
            spec = _spec(user, name)
            data = {"user": user.name, "server_name": name}
            parts = _renamed(self._dynamic_config_for_route(spec, self.hub.host, data)[0]["http"])
            self.stopped[spec] = [(section, key) for section, named in parts.items() for key in named]
            for section, named in parts.items():
                http.setdefault(section, {}).update(named)
        await self._apply_dynamic_config({"http": http})

    def _forget_stopped(self, spec: str) -> None:
        for section, name in self.stopped.pop(spec, ()):
            self.dynamic_config["http"][section].pop(name, None)

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


def _renamed(http: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Give the parts of a way under other names."""
    names = {name: f"{name}-stopped" for parts in http.values() for name in parts}
    found: dict[str, dict[str, Any]] = {}
    for section, parts in http.items():
        found[section] = {names[name]: dict(part) for name, part in parts.items()}
    for router in found["routers"].values():
        router["service"] = names[router["service"]]
        if "middlewares" in router:
            router["middlewares"] = [names.get(name, name) for name in router["middlewares"]]
    return found


def _inner(name: str) -> str:
    return f"{name}-inner"


def _owner(name: str) -> str:
    return f"{name}-owner"
