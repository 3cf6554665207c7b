"""A real Jupyter server with our extension and a workspace of its own, on a free port of this machine."""

import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

TOKEN = "of-this-server"
HEADERS = {"Authorization": f"token {TOKEN}"}
READY_S = 60.0


@dataclass(frozen=True)
class Server:
    port: int
    process: "subprocess.Popen[bytes]"
    folder: Path

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    @property
    def address(self) -> str:
        """Where the API is, without http:// or ws://."""
        return f"127.0.0.1:{self.port}/user/ada/twins"

    @property
    def log(self) -> str:
        return (self.folder / "server.log").read_text()

    def request(self, method: str, path: str, **words: Any) -> httpx2.Response:
        words = {"headers": HEADERS, "timeout": 120, **words}
        return httpx2.request(method, f"http://{self.address}/{path}", **words)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send JSON and give the JSON of an answer that is no refusal."""
        answer = self.request(method, path, json=body)
        assert answer.status_code < 400, answer.text
        return answer.json()

    def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Give a refusal's status and code."""
        answer = self.request(method, path, json=body)
        return answer.status_code, answer.json()["error"]["code"]

    def raw(self, method: str, path: str) -> int:
        """Send an address as it is, dots and all, and give the status."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, f"/user/ada/twins/{path}", headers=HEADERS)
            return connection.getresponse().status
        finally:
            connection.close()

    @contextmanager
    def signed_in_browser(self) -> Iterator[httpx2.Client]:
        """Give a client with a session's cookies and no token."""
        with httpx2.Client(base_url=f"http://127.0.0.1:{self.port}") as browser:
            browser.get("/user/ada/login")
            form = {"password": TOKEN, "_xsrf": browser.cookies["_xsrf"]}
            assert browser.post("/user/ada/login", data=form).status_code == 302
            yield browser

    def run(self, twin: str, phase: str = "execute", **parameters: Any) -> dict[str, Any]:
        """Run a phase to its end."""
        body = {"phase": phase, "parameters": parameters}
        return self.ended(self.ask("POST", f"{twin}/runs", body)["id"])

    def ended(self, run_id: str) -> dict[str, Any]:
        deadline = time.monotonic() + 60
        run: dict[str, Any] = self.ask("GET", f"runs/{run_id}")
        while run["state"] == "running" and time.monotonic() < deadline:
            size = run["log_bytes"] or 2**40
            self.request("GET", f"runs/{run_id}/log?wait_s=2&offset={size}")
            run = self.ask("GET", f"runs/{run_id}")
        return run

    def make_twin(self, name: str, *, descriptor: str | None = None, **phases: str) -> Path:
        folder = self.workspace / "digital_twins" / name
        (folder / "lifecycle").mkdir(parents=True)
        for phase, script in phases.items():
            program = folder / "lifecycle" / phase
            program.write_text(script if script.startswith("#!") else f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)
        if descriptor is not None:
            (folder / "twin.yaml").write_text(descriptor)
        return folder

    def status_mb(self, name: str) -> float:
        """Give VmRSS, the memory now, or VmHWM, its peak."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024


@contextmanager
def running_server(**environment: str) -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="twinhub-server-"))
    server: Server | None = None
    try:
        server = start_server(folder, **environment)
        yield server
    finally:
        if server is not None:
            server.process.terminate()
            server.process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def start_server(folder: Path, **environment: str) -> Server:
    (folder / "workspace" / "digital_twins").mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [
        *("--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", "--ServerApp.base_url=/user/ada/"),
        *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"),
        f"--ServerApp.root_dir={folder / 'workspace'}",
        "--ServerApp.jpserver_extensions={'lifecycle.server': True}",
    ]
    places = {"TWINHUB_WORKSPACE": str(folder / "workspace"), "TWINHUB_RUNS": str(folder / "runs")}
    config = {"HOME": str(folder), "JUPYTER_CONFIG_DIR": str(folder / "config"), **places, **environment}
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", *words], env={**os.environ, **config}, stderr=log
        )
    server = Server(port, process, folder)
    _wait(server)
    return server


def _wait(server: Server) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            answer = server.request("GET", "")
        except httpx2.HTTPError:
            time.sleep(0.1)
            continue
        if answer.status_code == 200:
            return
        break
    server.process.kill()
    raise AssertionError(f"the server did not start as it should:\n{server.log[-3000:]}")
