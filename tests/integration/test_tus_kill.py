"""Kill -9 of the process that receives an upload, at moments of chance: the file is byte for byte what was sent."""

import base64
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

ROOT = Path(__file__).parents[2]
TUS = {"Tus-Resumable": "1.0.0"}
BLOCK = 256 * 1024


class Service:
    """The library by itself in a process of its own, killed and started again on the same port and files."""

    def __init__(self, folder: Path) -> None:
        self.files = folder / "files"
        self.uploads = self.files / ".libms" / "uploads"
        self.config = folder / "libms.env"
        (self.files / "alice" / "data").mkdir(parents=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.http = httpx2.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60.0, trust_env=False)
        self.config.write_text(f"LOCAL_PATH={self.files}\nPORT={self.port}\nLOG_LEVEL=warning\n")
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "libms", "--config", str(self.config)]
        self.process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while not self.answers():
            assert time.monotonic() < deadline, "the library does not answer"
            time.sleep(0.02)

    def answers(self) -> bool:
        try:
            return bool(self.http.get("/lib/health").is_success)
        except httpx2.HTTPError:
            return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def create(self, path: str, length: int) -> str:
        metadata = f"path {base64.b64encode(path.encode()).decode()}"
        headers = {**TUS, "Upload-Length": str(length), "Upload-Metadata": metadata}
        answer = self.http.post("/lib/uploads", headers=headers)
        assert answer.status_code == 201, answer.text
        return str(answer.headers["location"])

    def head(self, address: str) -> Any:
        answer = self.http.head(address, headers=TUS)
        assert answer.status_code == 200, answer.headers
        return answer

    def send(self, address: str, offset: int, data: bytes, until: int) -> socket.socket:
        """Begin a PATCH that announces all of the rest, and send it up to `until`."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        head = (
            f"PATCH {address} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: {offset}\r\n"
            f"Content-Type: application/offset+octet-stream\r\nContent-Length: {len(data) - offset}\r\n\r\n"
        )
        connection.sendall(head.encode())
        for at in range(offset, until, BLOCK):
            connection.sendall(data[at : min(at + BLOCK, until)])
        return connection


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path)
    yield made
    made.kill()
    made.http.close()


def test_killed_again_and_again_the_file_arrives_whole(service: Service) -> None:
    """A server that runs out of memory all afternoon."""
    chance = random.Random()  # noqa: S311 - not for secrets
    data = os.urandom(96 * 1024 * 1024 + 12_345)
    address = service.create("alice/data/large.bin", len(data))
    reached = 0
    for _ in range(6):
        until = chance.randint(reached, min(reached + 60_000_000, len(data)))
        connection = service.send(address, reached, data, until)
        time.sleep(chance.uniform(0, 0.03))  # not a wait: the kill is to come at any moment
        service.kill()
        connection.close()
        service.start()
        offset = int(service.head(address).headers["upload-offset"])
        assert reached <= offset <= until
        reached = offset
    if not service.head(address).headers.get("upload-path"):
        done = service.send(address, reached, data, len(data))
        assert b" 204 " in done.recv(65536)
        done.close()
    assert (service.files / "alice/data/large.bin").read_bytes() == data
    assert list(service.uploads.glob("tus-*")) == []


def test_what_was_synced_before_the_kill_is_not_sent_again(service: Service) -> None:
    """A broken PATCH of 10 GB keeps its progress although it never ended."""
    data = bytes(64 * 1024 * 1024)
    address = service.create("alice/data/progress.bin", len(data))
    connection = service.send(address, 0, data, 48 * 1024 * 1024)
    deadline = time.monotonic() + 30
    while not service.http.get("/lib/uploads").json()["uploads"][0]["offset"]:
        assert time.monotonic() < deadline
    service.kill()
    connection.close()
    service.start()
    assert int(service.head(address).headers["upload-offset"]) >= 16 * 1024 * 1024


@pytest.mark.parametrize("attempt", range(5))
def test_a_kill_after_the_last_byte_gives_one_file(service: Service, attempt: int) -> None:
    """Between sync, rename and answer: the client goes on from what HEAD says, and there is one file, not two."""
    data = os.urandom(3_000_000)
    address = service.create("alice/data/last.bin", len(data))
    connection = service.send(address, 0, data, len(data))
    time.sleep(random.uniform(0, 0.002) * attempt)  # noqa: S311 - not a wait: the kill is to come at any moment
    service.kill()
    connection.close()
    service.start()
    offset = int(service.head(address).headers["upload-offset"])
    if offset < len(data):
        done = service.send(address, offset, data, len(data))
        assert b" 204 " in done.recv(65536)
        done.close()
    assert service.head(address).headers["upload-path"] == "alice/data/last.bin"
    (only,) = (service.files / "alice/data").iterdir()
    assert only.read_bytes() == data
