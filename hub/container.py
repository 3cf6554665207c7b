"""The container of one workspace at the engine: found, made, started, stopped, removed; nothing of people or pages."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, Final

import docker.errors
from dockerspawner import DockerSpawner
from jupyterhub.utils import exponential_backoff

from hub.engine import GateClient
from twinhub.places import Places

CALLS_AT_ONCE: Final = 16
"""Threads that wait for the engine. DockerSpawner's one thread would let a workspace that takes ten
seconds to stop hold up everybody who starts one; the engine itself takes calls in parallel."""

STOP_WAIT_S: Final = 10
REMOVAL_WAIT_S: Final = 30.0


class EngineContainer(DockerSpawner):
    """DockerSpawner where it matters what the engine says, and that it may be silent."""

    places: Places
    """Set by configure; a class attribute, as the hub makes the instances."""

    gate: ClassVar[GateClient | None] = None
    _executor: ClassVar[ThreadPoolExecutor | None] = None

    @property
    def client(self) -> GateClient:
        """The one connection to the engine, through the gate."""
        if EngineContainer.gate is None:
            EngineContainer.gate = GateClient(self.places.engine_gate_socket)
        return EngineContainer.gate

    @property
    def executor(self) -> ThreadPoolExecutor:
        """Give the threads that all workspaces share."""
        if EngineContainer._executor is None:
            EngineContainer._executor = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="engine")
        return EngineContainer._executor

    async def get_object(self) -> dict[str, Any] | None:
        """Inspect the container; None only when the engine says that there is none.

        DockerSpawner takes an engine's error 500 for a missing container as well,
        and the hub would then forget a workspace that runs.
        """
        try:
            found: dict[str, Any] = await self.docker("inspect_container", self.object_name)
        except docker.errors.NotFound:
            self.object_id = ""
            return None
        self.object_id = found["Id"]
        return found

    async def stop_object(self) -> None:
        """Stop the container, giving running twins time to end by themselves; one that is gone is stopped."""
        try:
            await self.docker("stop", self.container_id or self.object_name, timeout=STOP_WAIT_S)
        except docker.errors.NotFound:
            self.object_id = ""

    async def remove_object(self) -> None:
        """Remove the container in whatever state it is; return when its name is free."""
        try:
            await self.docker("remove_container", self.object_name, v=True, force=True)
        except docker.errors.NotFound:
            pass
        except docker.errors.APIError as error:
            if error.status_code != 409:  # its removal is under way
                raise
        try:
            await exponential_backoff(self._is_gone, "The old container does not go.", timeout=REMOVAL_WAIT_S)
        except TimeoutError as error:
            raise docker.errors.DockerException(str(error)) from error

    async def _is_gone(self) -> bool:
        return await self.get_object() is None

    async def last_words(self, container: dict[str, Any]) -> str:
        """Give the last lines that the container printed; none when the engine keeps none."""
        try:
            tail: bytes = await self.docker("logs", container["Id"], tail=5)
        except docker.errors.APIError:
            return ""
        return tail.decode(errors="replace")
