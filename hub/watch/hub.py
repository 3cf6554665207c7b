"""What the hub knows of workspaces, and stopping one there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

import httpx2

from hub.watch.engine import Key
from twinhub.workspace_state import parse_time

PAGE: Final = 200
PAGED: Final = "application/jupyterhub-pagination+json"


class HubSilent(Exception):
    """The hub does not answer, or not as it should; nothing is known then."""


@dataclass(frozen=True)
class Server:
    """A workspace as the hub sees it."""

    ready: bool
    last_activity: datetime | None


class Hub:
    """Speak with the hub's API."""

    def __init__(self, hub_url: str, token: str, *, transport: httpx2.BaseTransport | None = None) -> None:
        headers = {"Authorization": f"token {token}", "Accept": PAGED}
        self._http = httpx2.Client(
            base_url=f"{hub_url}/hub/api", headers=headers, timeout=30.0, trust_env=False, transport=transport
        )

    def servers(self) -> dict[Key, Server]:
        """Give every workspace that is not stopped; raises HubSilent."""
        found: dict[Key, Server] = {}
        offset: int | None = 0
        while offset is not None:
            content = self._ask(f"/users?state=active&offset={offset}&limit={PAGE}")
            try:
                for user in content["items"]:
                    for name, server in (user.get("servers") or {}).items():
                        stamp = parse_time(str(server.get("last_activity")))
                        found[Key(user["name"], name)] = Server(bool(server.get("ready")), stamp)
                following = content["_pagination"]["next"]
                offset = int(following["offset"]) if following else None
            except (KeyError, TypeError, ValueError) as error:
                raise HubSilent(f"The hub's answer cannot be read: {error!r}") from error
        return found

    def stop(self, key: Key) -> bool:
        """Stop a workspace; tell whether the hub does so."""
        path = f"/users/{quote(key.owner)}/server" + (f"s/{quote(key.server)}" if key.server else "")
        try:
            return self._http.delete(path).status_code in (202, 204)
        except httpx2.HTTPError:
            return False

    def _ask(self, path: str) -> dict[str, Any]:
        try:
            answer = self._http.get(path)
            if answer.status_code != 200:
                raise HubSilent(f"The hub answered {answer.status_code}.")
            content = answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise HubSilent(f"The hub does not answer: {error!r}") from error
        if not isinstance(content, dict):
            raise HubSilent("The hub's answer cannot be read.")
        return content
