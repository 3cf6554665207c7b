"""The hub's side of the gateway: routes written into the folder that Traefik watches."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

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
    come by an entry point of their own.
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


def _inner(name: str) -> str:
    return f"{name}-inner"


def _owner(name: str) -> str:
    return f"{name}-owner"
