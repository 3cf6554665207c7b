"""The real-time service by itself, with its broker and a host of models: for tests and measurements."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from realtime.service.labels import broker_user
from realtime.service.standalone import OWNER
from tests.support.nats import free_port

READY_S = 60.0


@dataclass
class Standalone:
    """A running one."""

    folder: Path
    url: str
    port: int
    process: subprocess.Popen[bytes]
    program_user: str = field(default_factory=lambda: broker_user(OWNER, "program"))

    @property
    def servers(self) -> str:
        """Address of its broker."""
        return self._given("worker", "REALTIME_SERVERS")

    @property
    def program_password(self) -> str:
        """That of the broker's user for programs."""
        return self._given("program", "REALTIME_PASSWORD")

    def _given(self, role: str, name: str) -> str:
        lines = (self.folder / f"{role}.env").read_text().splitlines()
        return next(line.partition("=")[2] for line in lines if line.startswith(f"{name}="))

    def get(self, path: str, **parameters: Any) -> Any:
        """Give the JSON at an address below the owner's."""
        answer = httpx2.get(f"{self.url}/realtime/{OWNER}{path}", params=parameters, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def deploy(self, files: dict[str, str], *, entry: str, **more: Any) -> dict[str, Any]:
        """Deploy a model, and wait until it runs."""
        body = {"files": files, "entry": entry, **more}
        answer = httpx2.post(f"{self.url}/realtime/{OWNER}/models", json=body, timeout=60)
        assert answer.status_code < 300, answer.text
        deployed: dict[str, Any] = answer.json()
        end = time.monotonic() + READY_S
        while (state := self.get(f"/models/{deployed['name']}"))["state"] != "running":
            assert time.monotonic() < end, state
            time.sleep(0.1)
        return deployed


@contextlib.contextmanager
def standalone(folder: Path, *more: str) -> Iterator[Standalone]:
    """Run one below a folder; whatever it started ends with it."""
    port = free_port()
    command = [sys.executable, "-m", "realtime.service", "--standalone", "--data", str(folder), "--port", str(port)]
    with (folder / "service.log").open("ab") as log:
        process = subprocess.Popen([*command, *more], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    found = Standalone(folder, f"http://127.0.0.1:{port}", port, process)
    try:
        _await_ready(found)
        yield found
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
        process.kill()
        process.wait()


def _await_ready(found: Standalone) -> None:
    end = time.monotonic() + READY_S
    while True:
        with contextlib.suppress(httpx2.HTTPError):
            if httpx2.get(f"{found.url}/realtime/{OWNER}/models", timeout=5).status_code == 200:
                return
        said = (found.folder / "service.log").read_text()[-2000:]
        assert found.process.poll() is None, said
        assert time.monotonic() < end, said
        time.sleep(0.1)
