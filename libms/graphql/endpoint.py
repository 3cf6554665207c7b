"""`/lib`: GraphQL by POST with JSON, GraphiQL for a browser's GET."""

from __future__ import annotations

import asyncio
import importlib
import threading
from concurrent.futures import ThreadPoolExecutor
from html import escape
from typing import TYPE_CHECKING, Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from libms.errors import BadRequest
from libms.graphql.context import Context, Services
from libms.graphql.fast import FixedQueries
from libms.turns import Turns
from twinhub.bodies import read_stream, wait_until_left
from twinhub.signin import User

if TYPE_CHECKING:
    from twinhub.signin import Sessions

LARGEST_REQUEST_BYTES: Final = 256 * 1024
THREADS: Final = 16
TURNS: Final = 3
"""Queries of one person that run at once."""
WAITING: Final = 60

GRAPHIQL: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="xsrf-token" content="{token}">
<title>Library queries · Twinhub</title>
<link rel="icon" href="/app/static/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/app/static/twinhub.css">
<link rel="stylesheet" href="/app/static/graphiql.css">
<link rel="stylesheet" href="/app/static/queries.css">
</head>
<body>
<header><a href="/app/library">Library</a> <h1>Queries</h1>
<span>Programs send the same with a <a href="/app/tokens">token</a> of yours.</span></header>
<main id="graphiql">Loading the query editor…</main>
<script type="module" src="/app/static/graphiql.js"></script>
</body>
</html>
"""

GRAPHIQL_POLICY: Final = (
    # The editor sets styles from scripts; nothing else is loosened, and only on this page.
    "default-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)


class GraphQLEndpoint:
    """Answer queries as the contract of DTaaS clients says."""

    def __init__(self, services: Services, sessions: Sessions | None, *, graphiql: bool = True) -> None:
        self._engine: Any = None
        # Resolvers block, on a disk or on a remote repository; threads of their own let everybody else go on.
        self._threads = ThreadPoolExecutor(THREADS, "query")
        self._turns = Turns(TURNS, WAITING)
        self._running: set[Context] = set()
        self._lock = threading.Lock()
        self._services = services
        self._sessions = sessions
        self._graphiql = graphiql
        self._fixed = FixedQueries(services)

    async def get(self, request: Request) -> Response:
        """Show GraphiQL to browsers; tell programs to POST."""
        if "text/html" not in request.headers.get("accept", "") or not self._graphiql:
            error = BadRequest("Queries are sent by POST.", 'POST {"query": "…"} with Content-Type: application/json.')
            return JSONResponse(error.as_json(), status_code=405, headers={"Allow": "POST"})
        cookie = getattr(request.state, "session_cookie", "")
        token = self._sessions.xsrf_token(cookie) if cookie and self._sessions else ""
        headers = {"Content-Security-Policy": GRAPHIQL_POLICY, "Cache-Control": "no-store"}
        return HTMLResponse(GRAPHIQL.format(token=escape(token)), headers=headers)

    async def post(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one query; raises PublicError before anything is sent."""
        if _content_type(scope) != b"application/json":
            raise BadRequest("The Content-Type is not application/json.", 'Send {"query": "…"} as application/json.')
        query, variables, operation = _parse(await read_stream(receive, LARGEST_REQUEST_BYTES))
        user: User = scope["state"]["user"]
        pieces = await self._fixed.answer(user, query, variables, operation)
        if pieces is not None:
            await _send(send, pieces)
            return
        context = Context(user, self._services)
        async with self._turns.of(user.name):
            executing = asyncio.get_running_loop().run_in_executor(
                self._threads, self._execute, query, variables, operation, context
            )
            answer = await self._wait(executing, receive, context)
        if answer is not None:
            await _send(send, [answer[1]], answer[0])

    async def _wait(
        self, executing: asyncio.Future[tuple[int, bytes]], receive: Receive, context: Context
    ) -> tuple[int, bytes] | None:
        """Wait for an answer; None when the client left. The turn lasts until the query has ended all the same."""
        self._running.add(context)
        leaving = asyncio.ensure_future(wait_until_left(receive))
        try:
            either: list[asyncio.Future[Any]] = [executing, leaving]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            context.left = not executing.done()
            answer = await executing
            return None if context.left else answer
        finally:
            self._running.discard(context)
            leaving.cancel()

    def load_engine(self) -> None:
        """Load what answers any query, which takes half a second and 20 MB.

        Programs of the DTaaS world send nothing but the fixed queries, which need none of it.
        """
        with self._lock:
            if self._engine is None:
                self._engine = importlib.import_module("libms.graphql.engine").Engine()

    def stop(self) -> None:
        """End the queries under way."""
        for context in list(self._running):
            context.left = True
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _execute(
        self, query: str, variables: dict[str, Any] | None, operation: str | None, context: Context
    ) -> tuple[int, bytes]:
        self.load_engine()
        status, content = self._engine.execute(query, variables, operation, context)
        return status, orjson.dumps(content)


def _content_type(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"content-type":
            return bytes(value).partition(b";")[0].strip().lower()
    return b""


async def _send(send: Send, pieces: list[bytes], status: int = 200) -> None:
    length = str(sum(map(len, pieces))).encode()
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store"), (b"content-length", length)]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    for piece in pieces[:-1]:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": pieces[-1]})


def _parse(body: bytes) -> tuple[str, dict[str, Any] | None, str | None]:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The body is not JSON: {error}.", 'Send {"query": "…"}.') from error
    if isinstance(content, list):
        raise BadRequest("Batches of queries are not accepted.", "Send one query a request; it may have aliases.")
    query = content.get("query") if isinstance(content, dict) else None
    if not isinstance(query, str):
        raise BadRequest("The body holds no query.", 'Send {"query": "…"}.')
    variables, operation = content.get("variables"), content.get("operationName")
    if not (variables is None or isinstance(variables, dict)) or not (operation is None or isinstance(operation, str)):
        raise BadRequest("'variables' must be an object and 'operationName' a string.", "Leave out what is not needed.")
    return query, variables, operation or None
