"""A library with resumable uploads alone, behind a real server, and a client's words for them."""

import base64
import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from libms.audit import Audit
from libms.disk.storage import DiskBackend, Folders
from libms.errors import AssetNotFound, BackendUnreachable
from libms.paths import AssetPath
from libms.quota import Quota
from libms.room import Room
from libms.tus import Tus
from libms.upload_store import UploadStore
from twinhub.errors import Forbidden
from twinhub.names import SCOPE_LIBRARY_WRITE
from twinhub.signin import User

TUS = {"Tus-Resumable": "1.0.0"}
BYTES = {**TUS, "Content-Type": "application/offset+octet-stream"}


class Disk(DiskBackend):
    """The real disk, which can be out of reach for a while, as a repository over the network can."""

    reachable = True

    def place(
        self, aside: Path, path: AssetPath, by: str, *, replace: bool = False, if_match: str | None = None
    ) -> None:
        if not self.reachable:
            raise BackendUnreachable("The repository does not answer.", "Try again later.")
        super().place(aside, path, by, replace=replace, if_match=if_match)


class Server:
    """A real server on a port of its own, for one application after the other: starting one takes its time."""

    def __init__(self) -> None:
        self.app: ASGIApp = Starlette()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.server = uvicorn.Server(uvicorn.Config(self, log_level="error", ws="none", lifespan="off"))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.listener]})
        self.thread.start()
        # One for all: a client costs 40 ms, for certificates that are not needed here.
        self.http = httpx2.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=20.0, trust_env=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)

    def stop(self) -> None:
        self.http.close()
        self.server.should_exit = True
        self.thread.join()
        self.listener.close()


@dataclass
class Library:
    """A library with resumable uploads alone."""

    folder: Path
    server: Server
    largest: int = 1_000_000_000
    quota_limit: int | None = None
    stall_s: float = 60.0
    now: float = field(default_factory=time.time)
    denied: set[str] = field(default_factory=set)
    changed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("files", "uploads", "trash", "audit"):
            (self.folder / name).mkdir(exist_ok=True)
        for owner in ("alice", "bob", "common"):
            (self.folder / "files" / owner / "data").mkdir(parents=True, exist_ok=True)
        self.start()

    def start(self) -> None:
        folders = Folders(self.folder / "files", self.folder / "uploads", self.folder / "trash")
        self.backend = Disk(folders, trash_days=30, make_owner=lambda _: None)
        self.store = UploadStore(folders.staging, clock=lambda: self.now)
        self.quota = Quota(lambda _: 0, self.quota_limit)
        self.audit = Audit(self.folder / "audit")
        self.tus = Tus(
            self.store,
            self.backend,
            room=Room(folders.staging, largest_bytes=self.largest, keep_free_bytes=0),
            quota=self.quota,
            changing=self.changing,
            audit=self.audit,
            changed=lambda path: self.changed.append(str(path)),
            stall_s=self.stall_s,
        )
        self.tus.recover()

        async def purge(_: Request) -> PlainTextResponse:
            return PlainTextResponse(str(await self.tus.purge()))

        app = Starlette(routes=self.tus.routes())
        app.add_route("/purge", purge)

        async def signed_in(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                name = dict(scope["headers"]).get(b"x-person", b"alice").decode()
                scopes = frozenset() if name == "reader" else frozenset({SCOPE_LIBRARY_WRITE})
                scope.setdefault("state", {})["user"] = User(name, name == "boss", scopes, "token")
            await app(scope, receive, send)

        self.server.app = signed_in
        self.port = self.server.port
        self.http = self.server.http

    def stop(self) -> None:
        self.tus.close()

    def restart(self) -> None:
        self.stop()
        self.start()

    @contextmanager
    def changing(self, user: User, path: AssetPath) -> Iterator[None]:
        if path.owner not in (user.name, "common") and not user.admin:
            raise AssetNotFound(f"ENOENT: no such file or directory, '{path}'")
        if str(path) in self.denied:
            raise Forbidden(f"'{path}' is no longer yours to change.", "Ask its owner.")
        yield

    # --- what clients send ------------------------------------------------------------

    def begin(self, path: str, length: int, *, person: str = "alice", body: bytes = b"", **metadata: str) -> Any:
        headers = {**TUS, "Upload-Length": str(length), "Upload-Metadata": pairs(path=path, **metadata)}
        if body:
            headers |= BYTES
        return self.http.post("/lib/uploads", headers={**headers, "X-Person": person}, content=body)

    def address(self, path: str, length: int, **metadata: str) -> str:
        answer = self.begin(path, length, **metadata)
        assert answer.status_code == 201, answer.text
        return str(answer.headers["location"])

    def patch(self, address: str, offset: int | str, body: Any = b"", **headers: str) -> Any:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return self.http.patch(address, headers={**BYTES, "Upload-Offset": str(offset), **named}, content=body)

    def head(self, address: str, person: str = "alice") -> Any:
        return self.http.head(address, headers={**TUS, "X-Person": person})

    def half_open(self, address: str, announced: int, body: bytes, **headers: str) -> socket.socket:
        """Send a part of a PATCH and then nothing, as a laptop does that changed its network."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        lines = {**BYTES, "Host": "x", "Upload-Offset": "0", "Content-Length": str(announced), **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        connection.sendall(f"PATCH {address} HTTP/1.1\r\n{head}\r\n".encode() + body)
        return connection

    def stored(self, path: str) -> bytes:
        return (self.folder / "files" / path).read_bytes()

    def files(self) -> list[str]:
        return sorted(file.name for file in (self.folder / "uploads").glob("tus-*"))

    def events(self, owner: str = "alice") -> list[tuple[str, str, str]]:
        return [(event.action, event.path, event.detail) for event in self.audit.latest(owner, 10)]


def pairs(**values: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())


def digest(algorithm: str, data: bytes) -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


def wait_for(condition: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.005)
