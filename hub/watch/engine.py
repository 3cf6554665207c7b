"""The running containers of the workspaces, as the container engine knows them."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import docker
import docker.errors
import requests

from twinhub.names import (
    INSTALLATION_LABEL,
    OWNER_LABEL,
    PROFILE_LABEL,
    SERVER_LABEL,
    SERVER_PATTERN,
    USERNAME_PATTERN,
    VARIANT_LABEL,
)

ERRORS: Final = (docker.errors.DockerException, requests.exceptions.RequestException)

SAY: Final = 'for t in /dev/pts/[0-9]*; do [ -w "$t" ] && printf "\\r\\n%s\\r\\n" "$NOTICE" >"$t"; done'
"""Run in the container as its owner, so it reaches no more than they do."""


@dataclass(frozen=True, order=True)
class Key:
    """Which workspace; the empty server is a person's own."""

    owner: str
    server: str = ""

    def __str__(self) -> str:
        return f"{self.owner}/{self.server}" if self.server else self.owner


@dataclass(frozen=True)
class Container:
    """One running workspace."""

    key: Key
    container_id: str
    pid: int
    profile: str
    variant: str
    layer: Path | None
    """Where the engine keeps what was written into the container itself."""


class Engine:
    """Ask the container engine, as seldom as possible."""

    def __init__(self, installation: str) -> None:
        self._client = docker.APIClient(timeout=30)
        self._filters = {"label": f"{INSTALLATION_LABEL}={installation}", "status": "running"}
        self._known: dict[str, Container] = {}

    def root(self) -> Path:
        """Give the folder below which the engine keeps containers."""
        try:
            return Path(self._client.info()["DockerRootDir"])
        except ERRORS:
            return Path("/var/lib/docker")

    def running(self) -> dict[Key, Container]:
        """Give the running workspaces; raises one of ERRORS while the engine does not answer."""
        found: dict[str, Container] = {}
        for row in self._client.containers(filters=self._filters):
            known = self._known.get(row["Id"])
            if known is None or not _lives(known):
                known = self._inspect(row)
            if known is not None:
                found[row["Id"]] = known
        self._known = found
        return {container.key: container for container in found.values()}

    def _inspect(self, row: dict[str, Any]) -> Container | None:
        labels = row.get("Labels") or {}
        owner, server = labels.get(OWNER_LABEL, ""), labels.get(SERVER_LABEL, "")
        if not re.fullmatch(USERNAME_PATTERN, owner) or (server and not re.fullmatch(SERVER_PATTERN, server)):
            return None  # not made by us, or not a workspace
        with suppress(docker.errors.NotFound):
            about = self._client.inspect_container(row["Id"])
            layer = ((about.get("GraphDriver") or {}).get("Data") or {}).get("UpperDir")
            pid = int(about["State"]["Pid"])
            if pid:
                return Container(
                    Key(owner, server),
                    row["Id"],
                    pid,
                    labels.get(PROFILE_LABEL, ""),
                    labels.get(VARIANT_LABEL, ""),
                    Path(layer) if layer else None,
                )
        return None

    def kill(self, container: Container) -> None:
        """End every process of a workspace at once."""
        with suppress(*ERRORS):
            self._client.kill(container.container_id)

    def say(self, container: Container, text: str, user_id: int) -> None:
        """Write a line to every terminal that is open in a workspace; nobody waits for one that is stuck."""
        with suppress(*ERRORS):
            command = ["timeout", "5", "sh", "-c", SAY]
            made = self._client.exec_create(
                container.container_id, command, user=f"{user_id}:{user_id}", environment={"NOTICE": text}
            )
            self._client.exec_start(made["Id"], detach=True)


def _lives(container: Container) -> bool:
    """Tell whether this very run of a container goes on: kept ones are started again, and process ids used again."""
    try:
        return container.container_id in Path(f"/proc/{container.pid}/cgroup").read_text()
    except OSError:
        return False
