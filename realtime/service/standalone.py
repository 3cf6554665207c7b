"""The service by itself, for one person on one machine: tests, measurements, an edge without a platform.

It starts a broker of its own, and models run in a process of the same account.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from realtime.service.accounts import AccountsFile, write_private
from realtime.service.app import build, make_core
from realtime.service.assets import NoAssets
from realtime.service.broker import ensure_synced, server_program, server_text
from realtime.service.config import ServiceConfig
from realtime.service.devices import device_key
from realtime.service.labels import Role, broker_password, broker_user
from realtime.service.mqtt.shared import MqttSettings
from realtime.service.others import Others, add_other_parts
from realtime.service.own import Around, add_own_parts
from realtime.service.spaces import Spaces
from twinhub.errors import Forbidden
from twinhub.names import SCOPE_REALTIME_WRITE
from twinhub.secrets import ensure_secret, read_secret
from twinhub.settings.realtime import Realtime
from twinhub.signin import User

OWNER: Final = "me"
PR_SET_PDEATHSIG: Final = 1
ROLES: Final[tuple[Role, ...]] = ("worker", "program")
HERE: Final = frozenset({"127.0.0.1", "localhost", "::1"})

_libc: Final = ctypes.CDLL(None)
log = logging.getLogger("realtime.standalone")


class Alone:
    """ASGI middleware: whoever reaches loopback is the one person; pages of other sites are not."""

    def __init__(self, app: ASGIApp, owner: str) -> None:
        self._app = app
        self._user = User(owner, admin=False, scopes=frozenset({SCOPE_REALTIME_WRITE}), token="")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            headers = Headers(scope=scope)
            host = headers.get("host", "").rpartition(":")[0].strip("[]") or headers.get("host", "")
            if host not in HERE or headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
                error = Forbidden("This service answers programs of this machine only.", "Ask it as localhost.")
                await JSONResponse(error.as_json(), error.status)(scope, receive, send)
                return
            if device_key(HTTPConnection(scope)) is None:
                scope.setdefault("state", {})["user"] = self._user
        await self._app(scope, receive, send)


class Child:
    """A process of ours that is started again when it ends."""

    def __init__(self, command: list[str], environment: dict[str, str], log_file: Path) -> None:
        self._command = command
        self._environment = environment
        self._log_file = log_file
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        with self._log_file.open("ab") as stream:
            self.process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - one call of the kernel, without locks
            )

    async def run(self) -> None:
        """Keep it running until cancelled."""
        try:
            while True:
                if self.process is None or self.process.poll() is not None:
                    self.start()
                await asyncio.sleep(0.5)
        finally:
            await asyncio.to_thread(self.stop)

    def stop(self) -> None:
        """End it, with time for what it has to write."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
            return
        self.process.kill()
        self.process.wait()


def _end_with_parent() -> None:
    """Have the kernel end this process when the service does, however that ends."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def make_config(data: Path, taken: int) -> tuple[ServiceConfig, Path]:
    """Prepare a folder: secret, free ports but the one that is taken, the broker's configuration."""
    broker = data / "broker"
    broker.mkdir(mode=0o700, parents=True, exist_ok=True)
    ensure_secret(data / "secret")
    port = _free_port(taken)
    monitor = _free_port(taken, port)
    config = ServiceConfig(
        folder=data,
        secret=read_secret(data / "secret"),
        servers=(f"nats://127.0.0.1:{port}",),
        monitors=(f"http://127.0.0.1:{monitor}",),
        listen=(f"127.0.0.1:{port}",),
    )
    file = broker / "nats.conf"
    write_private(file, server_text(config, name="alone", monitor=f"127.0.0.1:{monitor}"))
    return config, file


def create_app(
    data: Path, port: int, *, owner: str = OWNER, host: bool = True, mqtt_port: int | None = None
) -> ASGIApp:
    """Build the service for a port, with a broker, and a host for models, as its children."""
    config, file = make_config(data, port)
    accounts = AccountsFile(config)
    accounts.ensure_now(owner)
    spaces = Spaces(config, accounts, ensure_synced)
    server = Child([server_program(), "-c", str(file)], dict(os.environ), data / "broker.log")
    runner = Child(
        [sys.executable, "-m", "realtime.host"],
        {**os.environ, **role_environment(config, accounts, owner, "worker")},
        data / "host.log",
    )
    core = make_core(spaces, config.secret, _nothing)
    core.children += [server, *([runner] if host else [])]
    others = add_other_parts(core, Others(data, Realtime(), data, _mqtt(mqtt_port)))
    around = Around(
        config,
        accounts,
        NoAssets(),
        lambda _: {"state": "running", "what": "", "fix": ""},
        _known,
        sink=others.sink,
        mqtt=others.mqtt,
        erase_model=others.erase_model,
        erase_owner=others.erase_owner,
        disconnect=others.disconnect,
    )
    add_own_parts(core, around)
    for role in ROLES:
        given = role_environment(config, accounts, owner, role)
        write_private(data / f"{role}.env", "".join(f"{key}={value}\n" for key, value in given.items()))
    return Alone(build(core), owner)


def role_environment(config: ServiceConfig, accounts: AccountsFile, owner: str, role: Role) -> dict[str, str]:
    """Give what a host of an owner's models, or a program, is told."""
    return {
        "REALTIME_SERVERS": ",".join(config.servers),
        "REALTIME_USER": broker_user(owner, role),
        "REALTIME_PASSWORD": broker_password(config.secret, owner, role, accounts.generation(owner)),
    }


def _mqtt(port: int | None) -> MqttSettings | None:
    return None if port is None else MqttSettings("127.0.0.1", port)


def _free_port(*but: int) -> int:
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port not in but:
            return port


async def _nothing(_: str) -> None:
    """Start no workspace: the host is a child of ours."""


async def _known(_: HTTPConnection) -> bool:
    return True
