"""Real brokers for tests: one server, or a cluster of three, on free ports of loopback, in a folder of the test's."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import secrets
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path

from realtime.service.accounts import AccountsFile, write_private
from realtime.service.broker import accounts_text, server_program, server_text
from realtime.service.config import ServiceConfig
from realtime.service.spaces import Spaces

STARTS_S = 20.0


def free_port() -> int:
    """Give a port of loopback where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclasses.dataclass
class Server:
    """One nats-server: it can be killed, frozen and started again with the same store."""

    name: str
    config_file: Path
    port: int
    monitor: str
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Start it without waiting."""
        with self.config_file.with_suffix(".log").open("ab") as log:
            self.process = subprocess.Popen(
                [server_program(), "-c", str(self.config_file)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def wait_ready(self) -> None:
        """Wait until it takes connections and its streams work."""
        until = time.monotonic() + STARTS_S
        while True:
            try:
                with urllib.request.urlopen(f"{self.monitor}/healthz", timeout=2) as answer:  # noqa: S310 - ours
                    if answer.status == 200:
                        return
            except OSError:
                pass
            if time.monotonic() > until:
                raise TimeoutError(self.config_file.with_suffix(".log").read_text())
            time.sleep(0.05)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it as a crash does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self) -> None:
        """End it cleanly, where it runs."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


@dataclasses.dataclass
class Broker:
    """The servers, and how a service is told of them."""

    config: ServiceConfig
    servers: list[Server]

    @property
    def urls(self) -> str:
        """Give the addresses as REALTIME_SERVERS has them."""
        return ",".join(self.config.servers)

    def stop(self) -> None:
        """End all servers."""
        for server in self.servers:
            server.stop()


def make_broker(folder: Path, *, count: int = 1, owners: Sequence[str] = (), secret: str = "") -> Broker:
    """Write the configuration of one server, or of a cluster, without starting any."""
    ports, monitors, routes = ([free_port() for _ in range(count)] for _ in range(3))
    config = ServiceConfig(
        folder=folder,
        secret=secret or secrets.token_hex(16),
        servers=tuple(f"nats://127.0.0.1:{port}" for port in ports),
        monitors=tuple(f"http://127.0.0.1:{port}" for port in monitors),
        replicas=min(count, 3),
    )
    config.broker_folder.mkdir(parents=True, exist_ok=True)
    write_private(config.broker_folder / "accounts.conf", accounts_text(config, dict.fromkeys(owners, "")))
    write_private(folder / "owners.json", str(list(owners)).replace("'", '"'))
    servers = []
    for number in range(count):
        name = f"n{number + 1}"
        others = ", ".join(f'"nats://127.0.0.1:{port}"' for port in routes)
        cluster = f"cluster {{ name: tests, listen: '127.0.0.1:{routes[number]}', routes: [{others}] }}"
        own = dataclasses.replace(
            config,
            listen=(f"127.0.0.1:{ports[number]}",),
            cluster=cluster if count > 1 else "",
        )
        file = config.broker_folder / f"{name}.conf"
        write_private(file, server_text(own, name=name, monitor=f"127.0.0.1:{monitors[number]}"))
        servers.append(Server(name, file, ports[number], config.monitors[number]))
    return Broker(config, servers)


@contextlib.contextmanager
def running_broker(folder: Path, *, count: int = 1, owners: Sequence[str] = (), secret: str = "") -> Iterator[Broker]:
    """Run one server, or a cluster, for the block; owners that are opened later get their accounts by a reload."""
    broker = make_broker(folder, count=count, owners=owners, secret=secret)
    try:
        for server in broker.servers:
            server.launch()
        for server in broker.servers:
            server.wait_ready()
        yield broker
    finally:
        broker.stop()


def accounts(broker: Broker) -> AccountsFile:
    """Give what makes accounts at these servers."""
    return AccountsFile(broker.config)


@contextlib.asynccontextmanager
async def opened_spaces(broker: Broker) -> AsyncIterator[Spaces]:
    """Give the service's places at these servers, closed at the end."""
    spaces = Spaces(broker.config, accounts(broker))
    try:
        yield spaces
    finally:
        await spaces.close()


async def until(condition: Callable[[], Awaitable[object]], within_s: float = 10.0) -> None:
    """Wait until something is so; raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while not await condition():  # noqa: ASYNC110 - what it waits for is in another process
            await asyncio.sleep(0.02)
