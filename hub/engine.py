"""The hub's way to the container engine, which leads through the engine gate."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import docker
import docker.errors
import requests


class GateClient(docker.APIClient):
    """The Docker SDK's client, with the gate's own task beside the engine's."""

    def __init__(self, socket: Path) -> None:
        super().__init__(base_url=f"unix://{socket}", version="auto")

    def ensure_owner(self, owner: str, server: str = "") -> bool:
        """Make somebody's folder, and the home of one workspace of theirs, where they are missing.

        Tells whether a home that had been put aside came back. The hub itself has no
        right to anybody's folders. Raises APIError as the engine's own calls do.
        """
        answer = self._own("POST", owner, server)
        return bool(answer.json()["home_came_back"])

    def put_home_aside(self, owner: str, server: str) -> None:
        """Take the home of a named workspace out of use, until a workspace of the same name brings it back."""
        self._own("DELETE", owner, server)

    def _own(self, method: str, owner: str, server: str) -> requests.Response:
        path = "/".join(quote(name, safe="") for name in (owner, server) if name)
        answer = self.request(method, f"{self.base_url}/twinhub/owners/{path}", timeout=60)
        if not answer.ok:
            raise docker.errors.APIError(answer.reason, answer, answer.text)
        return answer
