"""The HTTP server of the stand-in, on a random port of the loopback interface."""

from __future__ import annotations

import json
import threading
import urllib.parse
from collections.abc import Mapping
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tests.support.gitlab_standin import documented, graph, rest
from tests.support.gitlab_standin.faults import Fault, Faults
from tests.support.gitlab_standin.repository import Repository
from tests.support.gitlab_standin.rest import Answer, Refusal

TOKEN: Final = "glpat-stand-in-0123456789"
"""The one token that it accepts."""


class GitLabStandIn:
    """One group's projects, each a git repository below `folder`, behind GitLab's documented interface."""

    def __init__(self, folder: Path, group: str = "dtaas") -> None:
        self.group = group
        self.violations: list[str] = []
        """Requests that GitLab's documentation does not allow; every test must find none."""
        self.requests: list[str] = []
        """`METHOD /path?query` of every request, as it came."""
        self.faults = Faults()
        self._folder = folder
        self._repositories: dict[str, Repository] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # --- the world, for tests and answers ---------------------------------------------

    def create(self, owner: str) -> Repository:
        """Give an owner's project, making an empty one when there is none."""
        if owner not in self._repositories:
            self._repositories[owner] = Repository(self._folder / f"{owner}.git")
        return self._repositories[owner]

    def find(self, full_path: str) -> Repository | None:
        """Give the repository of GROUP/OWNER."""
        group, _, owner = full_path.rpartition("/")
        return self._repositories.get(owner) if group == self.group else None

    def owners(self) -> list[str]:
        """Name the group's projects."""
        return list(self._repositories)

    def between(self) -> None:
        """Let something happen between GitLab's check of a commit and its writing, when that was ordered."""
        fault = self.faults.take("between check and write")
        if fault is not None and fault.before is not None:
            fault.before()

    # --- answers ----------------------------------------------------------------------

    def answer(self, method: str, target: str, headers: Message, body: bytes) -> Answer:
        """Answer one request."""
        parsed = urllib.parse.urlsplit(target)
        query = urllib.parse.parse_qs(parsed.query, keep_blank_values=True)
        if {"private_token", "access_token", "job_token"} & set(query) or TOKEN in target:
            return self._violation("the token is in the address")
        try:
            if parsed.path == "/api/graphql":
                return self._graphql(method, headers, body)
            parts = tuple(urllib.parse.unquote(part) for part in parsed.path.removeprefix("/api/v4/").split("/"))
            return self._rest(method, parts, query, headers, body)
        except Refusal as refusal:
            return Answer(refusal.status, {"message": str(refusal)})

    def _graphql(self, method: str, headers: Message, body: bytes) -> Answer:
        if method != "POST":
            return self._violation("GraphQL is asked by POST")
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            # docs.gitlab.com/api/graphql/#authentication
            return Answer(401, {"errors": [{"message": "Invalid token"}]})
        try:
            return Answer(200, graph.answer(self.find, json.loads(body)))
        except (graph.RequestError, json.JSONDecodeError) as error:
            self.violations.append(f"GraphQL: {error}")
            return Answer(200, {"errors": [{"message": str(error)}]})

    def _rest(
        self,
        method: str,
        parts: tuple[str, ...],
        query: Mapping[str, list[str]],
        headers: Message,
        body: bytes,
    ) -> Answer:
        if headers.get("PRIVATE-TOKEN") != TOKEN:
            return Answer(401, {"message": "401 Unauthorized"})
        for endpoint in documented.ENDPOINTS:
            values = endpoint.match(method, parts)
            if values is None:
                continue
            try:
                if method == "GET":
                    attributes = documented.read_query(endpoint, query)
                elif headers.get("Content-Type") != "application/json" or query:
                    return self._violation(f"{endpoint.path}: attributes belong into a JSON body")
                else:
                    attributes = documented.read_body(endpoint, json.loads(body))
            except (documented.Undocumented, json.JSONDecodeError) as error:
                return self._violation(str(error))
            return rest.HANDLERS[endpoint.name](self, attributes, *values)
        return self._violation(f"{method} {'/'.join(parts)} is not among the documented requests")

    def _violation(self, words: str) -> Answer:
        self.violations.append(words)
        return Answer(400, {"error": words})


def _handler(world: GitLabStandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1
        timeout = 60

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = f"{self.command} {self.path}"
            world.requests.append(request)
            fault = world.faults.take(request)
            if fault is not None and fault.before is not None:
                fault.before()
            if fault is not None and fault.status:
                self._send(fault.status, fault.body.encode(), fault.headers)
                return
            answer = world.answer(self.command, self.path, self.headers, body)
            self._send(answer.status, *_encoded(answer.body))

        def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: what was asked is in `requests`."""

    return Handler


def _encoded(body: Any) -> tuple[bytes, dict[str, str]]:
    if isinstance(body, bytes):
        return body, {"Content-Type": "application/octet-stream"}
    return json.dumps(body).encode(), {"Content-Type": "application/json"}


__all__ = ["TOKEN", "Fault", "GitLabStandIn"]
