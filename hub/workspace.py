"""One container per person, kept between stops, made anew when its plan changes."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Final

from dockerspawner import DockerSpawner
from traitlets import Bool, Int, List, Unicode

from hub import failures
from hub.engine import GateClient
from twinhub.names import INSTALLATION_LABEL, SERVER_ENVIRONMENT, server_volume
from twinhub.places import Places

PLAN_LABEL: Final = "twinhub.plan"
OWNER_LABEL: Final = "twinhub.owner"

CAPABILITIES: Final = (
    # What apt and sudo need inside one's own container; everything else is dropped.
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "NET_BIND_SERVICE",
    "SYS_CHROOT",
    "AUDIT_WRITE",
)


class Workspace(DockerSpawner):
    """A person's container: their folder at /workspace, their home, one Jupyter server.

    The container is stopped, not removed, so that what its owner installed with
    apt survives. It carries a digest of everything it was made from; when that
    changes (image, limits, mounts), the next start makes a new container.
    """

    places: Places
    """Set by configure; a class attribute, as the hub makes the instances."""

    gate: GateClient | None = None

    process_limit = Int(1024, config=True, help="Processes and threads one workspace may have.")
    common_read_only = Bool(False, config=True, help="Whether /workspace/common is mounted read-only.")
    installation = Unicode("twinhub", config=True, help="Prefix of container and volume names.")
    proxy_variables: Any = List(config=True, help="NAME=value pairs of the installing shell's proxy settings.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._news: list[dict[str, Any]] = []
        self._news_came = asyncio.Event()

    @property
    def client(self) -> GateClient:
        """The one connection to the engine, through the gate."""
        if Workspace.gate is None:
            Workspace.gate = GateClient(self.places.engine_gate_socket)
        return Workspace.gate

    # --- progress -------------------------------------------------------------

    def _tell(self, percent: int, message: str) -> None:
        """Show a step on the spawn page."""
        self._news.append({"progress": percent, "message": message})
        self._news_came.set()

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the steps of the start that is under way, from its first."""
        shown = 0
        while True:
            while shown < len(self._news):
                yield self._news[shown]
                shown += 1
            self._news_came.clear()
            await self._news_came.wait()

    # --- what the container is made of ----------------------------------------

    def _object_name_default(self) -> str:
        # Account names are legal container names and differ in more than case, so no two collide.
        return f"{self.installation}-workspace-{self.user.name}"

    @property
    def volume_binds(self) -> dict[str, dict[str, str]]:
        """Mounts: the person's folder, `common`, their home, and the server's own environment read-only."""
        owner = self.user.name
        return {
            str(self.places.files / owner): {"bind": "/workspace", "mode": "rw"},
            str(self.places.files / "common"): {
                "bind": "/workspace/common",
                "mode": "rw" if self._may_write_common() else "ro",
            },
            str(self.places.homes / owner): {"bind": f"/home/{owner}", "mode": "rw"},
        }

    def _may_write_common(self) -> bool:
        """Decide as the library does (libms.access), so that a workspace is no way around it."""
        group = self.places.settings.library.common_writers
        if self.common_read_only:
            return False
        return group is None or self.user.admin or group in {one.name for one in self.user.groups}

    def get_env(self) -> dict[str, str]:
        """Add what the workspace's start script needs to the hub's variables."""
        env: dict[str, str] = super().get_env()
        env["NB_USER"] = self.user.name
        env.update(pair.split("=", 1) for pair in self.proxy_variables)
        return env

    async def get_command(self) -> list[str]:
        """Leave the command to the image, which becomes the owner before it starts the server."""
        return []

    async def _plan(self) -> tuple[dict[str, Any], str]:
        """Give the host configuration and a digest of all that only a new container can change."""
        image = await self.docker("inspect_image", self.image)
        image_id = image["Id"]
        volume = server_volume(self.installation, image_id)
        host_config = {
            "cap_drop": ["ALL"],
            "cap_add": list(CAPABILITIES),
            "pids_limit": self.process_limit,
            "memswap_limit": self.mem_limit,
            "ipc_mode": "private",
            "log_config": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "2"}},
            # `twinhub up` has filled it from the image; nobody, root in the container included, can write to it.
            "mounts": [
                {"Type": "volume", "Source": volume, "Target": SERVER_ENVIRONMENT, "ReadOnly": True},
            ],
        }
        ingredients = [
            image_id,
            host_config,
            self.volume_binds,
            self.mem_limit,
            self.cpu_limit,
            self.network_name,
            self.hub_connect_url,
        ]
        digest = hashlib.sha256(json.dumps(ingredients, sort_keys=True, default=str).encode()).hexdigest()
        return host_config, digest

    # --- life -------------------------------------------------------------------

    async def start(self) -> tuple[str, int]:
        """Bring the workspace up; raises SpawnException in words a person can act on."""
        self._news.clear()
        self._tell(5, "Preparing your folders")
        try:
            await self.docker("ensure_owner", self.user.name)
            await self._discard_outdated()
            self._tell(30, "Starting the container")
            address = await super().start()
        except failures.ENGINE_ERRORS as error:
            self.log.warning("Workspace of %s did not start: %s", self.user.name, error)
            raise failures.explain_engine_error(error, self.image).exception() from error
        self._tell(60, "Container started, waiting for its Jupyter server")
        ip, port = address
        await self._wait_until_listening(ip, port)
        self._tell(90, "Jupyter server answers, opening the way to it")
        return ip, port

    async def _discard_outdated(self) -> None:
        """Remove the container of the last start when it was made from other ingredients."""
        host_config, digest = await self._plan()
        self.extra_host_config = host_config
        self.extra_create_kwargs = {
            "hostname": "workspace",
            "labels": {PLAN_LABEL: digest, OWNER_LABEL: self.user.name, INSTALLATION_LABEL: self.installation},
        }
        # The hub keeps these options for the next start, which must not throw the container away again.
        options: dict[str, Any] = dict(self.user_options)
        fresh_wanted = bool(options.pop("fresh", False))
        self.user_options: dict[str, Any] = options
        container = await self.get_object()
        if container is None:
            self._tell(15, "Creating your container")
            return
        if container["Config"]["Labels"].get(PLAN_LABEL) == digest and not fresh_wanted:
            self._tell(15, "Found your container")
            return
        why = "you asked for it" if fresh_wanted else "the platform's image or limits have changed"
        self._tell(15, f"Making a fresh container: {why}. Your files, home and pip packages stay")
        await self.remove_object()

    async def _wait_until_listening(self, ip: str, port: int) -> None:
        """Return when the server takes connections; raise as soon as its container has ended."""
        deadline = asyncio.get_running_loop().time() + self.start_timeout - 5
        while asyncio.get_running_loop().time() < deadline:
            with suppress(OSError, TimeoutError):
                _, writer = await asyncio.wait_for(asyncio.open_connection(ip, port), timeout=2)
                writer.close()
                return
            container = await self.get_object()
            if container is None or not container["State"]["Running"]:
                await self._raise_exit(container)
            await asyncio.sleep(0.1)
        await self.stop()
        raise failures.NEVER_ANSWERED.exception()

    async def _raise_exit(self, container: dict[str, Any] | None) -> None:
        state = container["State"] if container else {"ExitCode": "unknown"}
        tail = b""
        if container:
            tail = await self.docker("logs", container["Id"], tail=5)
        raise failures.explain_exit(state, tail.decode(errors="replace"), str(self.mem_limit)).exception()

    async def stop_object(self) -> None:
        """Stop the container, giving running twins time to end by themselves."""
        await self.docker("stop", self.container_id, timeout=10)
