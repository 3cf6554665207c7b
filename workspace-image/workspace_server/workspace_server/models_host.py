"""In the workspace `realtime`: run the host of its owner's models, and tell the hub that the workspace is in use.

The host is a program of the user's Python, so that models find what their owner
installed. It gets its way to the broker in its environment, from the platform's
service, which gives it to this workspace alone.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest
from tornado.ioloop import IOLoop

from workspace_server.memory import expendable

SERVER: Final = "realtime"
"""The name of the workspace that has a host; no other starts one."""
ASK_EVERY_S: Final = 20.0
LOOK_EVERY_S: Final = 0.5
PATIENCE_S: Final = 10.0
FIRST_WAIT_S: Final = 0.5
LONGEST_WAIT_S: Final = 30.0
STEADY_S: Final = 60.0
"""Who ran for so long did not end because of how it was started."""
LAST_WORDS_S: Final = 8.0
"""So long a host may take to write down its states; the engine waits for ten seconds."""
LARGEST_LOG_BYTES: Final = 5_000_000
ACTIVITY_KEY: Final = "realtime_last_activity"
"""Jupyter Server takes the latest of all settings whose name ends like this."""
NOT_FOR_MODELS: Final = ("JUPYTERHUB_", "JPY_")

log = logging.getLogger("realtime.host")


@dataclass(frozen=True)
class Way:
    """How a host reaches the broker."""

    servers: str
    user: str
    password: str = field(repr=False)
    wanted: bool
    """Whether there is a model that should run."""
    renew: bool = False
    """Whether the platform has become another version, whose image this workspace should have."""


def read_way(text: bytes) -> Way:
    """Read the service's answer; raises ValueError."""
    found = json.loads(text)
    try:
        return Way(
            ",".join(found["servers"]),
            str(found["user"]),
            str(found["password"]),
            bool(found["wanted"]),
            bool(found.get("renew")),
        )
    except (KeyError, TypeError) as error:
        raise ValueError("the answer about the broker is of another version") from error


class ModelsHost:
    """One process, started again when it ends, with a new way when there is one."""

    command: tuple[str, ...] = ("/usr/bin/python3", "-m", "realtime.host")

    def __init__(
        self,
        environment: Mapping[str, str],
        settings: MutableMapping[str, Any],
        home: Path,
        *,
        folder: Path = Path("/workspace"),
        end: Callable[[], object] = lambda: None,
    ) -> None:
        self._environment = environment
        self._folder = folder
        self._end = end
        self._build = ""
        self._settings = settings
        self._log_file = home / ".twinhub" / "realtime.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._way: Way | None = None
        self._wait_s = FIRST_WAIT_S
        self._started = self._next_start = 0.0

    async def run(self) -> None:
        """Keep it running for as long as the server does."""
        ask_at = 0.0
        self._build = await asyncio.to_thread(installed_build)
        while True:
            now = time.monotonic()
            if now >= ask_at:
                ask_at = now + ASK_EVERY_S
                await self._ask()
            self._look(now)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _ask(self) -> None:
        address = self._environment.get("JUPYTERHUB_API_URL", "").removesuffix("/hub/api")
        address += f"/realtime/worker-access?build={self._build}"
        headers = {"Authorization": f"token {self._environment.get('JUPYTERHUB_API_TOKEN', '')}"}
        try:
            answer = await AsyncHTTPClient().fetch(HTTPRequest(address, headers=headers, request_timeout=PATIENCE_S))
            way = read_way(answer.body)
        except (HTTPError, OSError, ValueError) as error:
            # The platform restarts; a host that runs goes on, as the broker may well be there.
            log.info("the service of real-time twins told nothing: %s", error)
            return
        if way.renew:
            log.warning("the platform has another version: this workspace ends, and comes back with it")
            self.stop()
            self._end()
            return
        self.use(way)

    def use(self, way: Way) -> None:
        """Go by what the service said last."""
        if way.wanted:
            self._settings[ACTIVITY_KEY] = datetime.now(UTC)
        if self._way is not None and (way.servers, way.password) != (self._way.servers, self._way.password):
            self.stop()
        self._way = way

    def _look(self, now: float) -> None:
        if self._process is not None and self._process.poll() is not None:
            log.warning("the host of models ended with %s", self._process.returncode)
            steady = now - self._started > STEADY_S
            self._wait_s = FIRST_WAIT_S if steady else min(self._wait_s * 2, LONGEST_WAIT_S)
            self._next_start = now + self._wait_s
            self._process = None
        if self._process is None and self._way is not None and now >= self._next_start:
            self._start(self._way, now)

    def _start(self, way: Way, now: float) -> None:
        kept = {name: value for name, value in self._environment.items() if not name.startswith(NOT_FOR_MODELS)}
        broker = {"REALTIME_SERVERS": way.servers, "REALTIME_USER": way.user, "REALTIME_PASSWORD": way.password}
        self._started = now
        try:
            with _opened(self._log_file) as output:
                # What needs the memory is ended before the server that would start it again.
                self._process = subprocess.Popen(
                    expendable(*self.command),
                    env={**kept, **broker},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=self._folder,
                )
        except OSError as error:
            log.warning("the host of models cannot be started: %s", error)
            self._next_start = now + LONGEST_WAIT_S

    def stop(self) -> None:
        """End the host; it writes down the states of its models first."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(LAST_WORDS_S)
        except subprocess.TimeoutExpired:
            process.kill()


def installed_build() -> str:
    """Ask the user's Python which version of the models' code it has; '' where it does not say."""
    command = ["/usr/bin/python3", "-m", "realtime.build"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return found.stdout.strip()


def _opened(file: Path) -> Any:
    """Open the log for a host that starts; the one before is kept beside it when it has grown."""
    file.parent.mkdir(exist_ok=True)
    with suppress(FileNotFoundError):
        if file.stat().st_size > LARGEST_LOG_BYTES:
            file.rename(file.with_suffix(".log.1"))
    return file.open("ab")


def start_host(environment: Mapping[str, str], settings: MutableMapping[str, Any]) -> None:
    """Run a host where this is the workspace for it."""
    if environment.get("JUPYTERHUB_SERVER_NAME") != SERVER:
        return
    # As at a stop by the hub: the server ends, and with it the container.
    host = ModelsHost(dict(environment), settings, Path.home(), end=lambda: os.kill(os.getpid(), signal.SIGTERM))
    atexit.register(host.stop)
    IOLoop.current().add_callback(host.run)
