"""The hub's way to the container engine, which leads through the engine gate."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import docker
import docker.errors


class GateClient(docker.APIClient):
    """The Docker SDK's client, with the gate's own task beside the engine's."""

    def __init__(self, socket: Path) -> None:
        super().__init__(base_url=f"unix://{socket}", version="auto")

    def ensure_owner(self, owner: str, server: str = "") -> None:
        """Make somebody's folder, and the home of one workspace of theirs, where they are missing.

        The hub itself has no right to anybody's folders. Raises APIError as the engine's own calls do.
        """
        path = "/".join(quote(name, safe="") for name in (owner, server) if name)
        answer = self.post(f"{self.base_url}/twinhub/owners/{path}", timeout=60)
        if not answer.ok:
            raise docker.errors.APIError(answer.reason, answer, answer.text)
