"""A real git server on a loopback port: `git http-backend` behind a small HTTP server, with or without a password."""

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

BLOCK = 1 << 16
PLAIN = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
}
"""What git needs to behave alike on every machine."""


def git(*words: str | Path, cwd: Path | None = None, check: bool = True, **variables: str) -> str:
    """Run git as a person would; give what it printed."""
    done = subprocess.run(
        ["git", *map(str, words)], cwd=cwd, env={**PLAIN, **variables}, capture_output=True, text=True, check=False
    )
    if check:
        assert done.returncode == 0, done.stderr
    return done.stdout.strip() if done.returncode == 0 else done.stdout + done.stderr


class GitServer:
    """Serves all repositories below a folder; `password` is 'user:token', None lets everybody in."""

    def __init__(self, root: Path, password: str | None = None) -> None:
        self.root = root
        self.password = password
        self.seen: list[str] = []
        """Method and address of every request."""
        self.authorizations: list[str] = []
        """What each request showed to be let in, empty for nothing."""
        self.lost_answers = 0
        """So many pushes are done from now on without an answer."""
        self.redirect_to: str | None = None
        """Another server to which every request is sent on."""
        self._server: ThreadingHTTPServer | None = None
        self._port = 0
        root.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> "GitServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Answer, at the same address as before."""
        handler = type("Handler", (_Handler,), {"git": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), handler)
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections until it starts again."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def url(self, name: str, *, signed_in: bool = False) -> str:
        """Give a repository's address; with the password in it for plain git."""
        user = f"{self.password}@" if signed_in and self.password else ""
        return f"http://{user}127.0.0.1:{self._port}/{name}.git"

    def path(self, name: str) -> Path:
        """Give the repository's folder on the server."""
        return self.root / f"{name}.git"

    def create(self, name: str) -> Path:
        """Make an empty repository that checks every object it is given, as forges do."""
        path = self.path(name)
        git("init", "--quiet", "--bare", "--initial-branch=main", path)
        for key, value in {"http.receivepack": "true", "transfer.fsckObjects": "true", "gc.auto": "0"}.items():
            git("-C", path, "config", key, value)
        return path


class _Handler(BaseHTTPRequestHandler):
    """One request as CGI."""

    git: GitServer
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        self.git.seen.append(f"{self.command} {self.path}")

    def _serve(self) -> None:
        self.close_connection = True
        self.git.authorizations.append(self.headers.get("Authorization", ""))
        if self.git.redirect_to is not None:
            self._end_with(302, "Location", self.git.redirect_to + self.path)
            return
        if not self._may_enter():
            self._end_with(401, "WWW-Authenticate", 'Basic realm="git"')
            return
        with subprocess.Popen(
            ["git", "http-backend"], env=self._environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as backend:
            assert backend.stdin is not None
            assert backend.stdout is not None
            feeding = threading.Thread(target=self._feed, args=(backend.stdin,))
            feeding.start()
            self._answer(backend.stdout)
            feeding.join()

    def _end_with(self, status: int, header: str, value: str) -> None:
        self.send_response(status)
        self.send_header(header, value)
        self.send_header("Connection", "close")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _may_enter(self) -> bool:
        if self.git.password is None:
            return True
        expected = base64.b64encode(self.git.password.encode()).decode()
        return self.headers.get("Authorization") == f"Basic {expected}"

    def _environment(self) -> dict[str, str]:
        parts = urlsplit(self.path)
        return {
            **PLAIN,
            "GIT_PROJECT_ROOT": str(self.git.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": self.headers.get("Content-Length", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "REMOTE_ADDR": self.client_address[0],
            "REMOTE_USER": (self.git.password or "nobody").partition(":")[0],
        }

    def _feed(self, target: IO[bytes]) -> None:
        try:
            for block in self._body():
                target.write(block)
            target.close()
        except (BrokenPipeError, ConnectionError, ValueError):
            pass  # the other side went away

    def _body(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length") or 0)
        while left:
            block = self.rfile.read(min(BLOCK, left))
            if not block:
                return
            left -= len(block)
            yield block

    def _answer(self, source: IO[bytes]) -> None:
        if self.git.lost_answers and self.command == "POST" and self.path.endswith("git-receive-pack"):
            self.git.lost_answers -= 1
            source.read()
            self.connection.close()
            return
        status, headers = 200, []
        while line := source.readline().strip():
            name, _, value = line.decode().partition(":")
            if name.lower() == "status":
                status = int(value.split()[0])
            else:
                headers.append((name, value.strip()))
        try:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            while block := source.read(BLOCK):
                self.wfile.write(block)
        except ConnectionError:
            source.read()  # whoever asked was killed
