"""`/lib`: GraphQL by POST with JSON, GraphiQL for a browser's GET."""

from __future__ import annotations

import logging
import secrets
from html import escape
from typing import Any, Final

import orjson
import strawberry
from graphql import GraphQLError, GraphQLSyntaxError
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from libms.errors import BadRequest
from libms.schema import Context
from twinhub.bodies import read_body
from twinhub.errors import PublicError
from twinhub.signin import Sessions

LARGEST_REQUEST_BYTES: Final = 256 * 1024
CLIENT_CODE: Final = "INTERNAL_SERVER_ERROR"
"""What clients of other DTaaS installations expect for every failure of a resolver."""

log = logging.getLogger("libms")

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
<span>Programs send the same with a <a href="/hub/token">token</a> of yours.</span></header>
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

    def __init__(self, schema: strawberry.Schema, sessions: Sessions) -> None:
        self._schema = schema
        self._sessions = sessions

    async def get(self, request: Request) -> Response:
        """Show GraphiQL to browsers; tell programs to POST."""
        if "text/html" not in request.headers.get("accept", ""):
            error = BadRequest("Queries are sent by POST.", 'POST {"query": "…"} with Content-Type: application/json.')
            return JSONResponse(error.as_json(), status_code=405, headers={"Allow": "POST"})
        cookie = getattr(request.state, "session_cookie", "")
        token = self._sessions.xsrf_token(cookie) if cookie else ""
        headers = {"Content-Security-Policy": GRAPHIQL_POLICY, "Cache-Control": "no-store"}
        return HTMLResponse(GRAPHIQL.format(token=escape(token)), headers=headers)

    async def post(self, request: Request, context: Context) -> Response:
        """Execute one query."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise BadRequest("The Content-Type is not application/json.", 'Send {"query": "…"} as application/json.')
        query, variables, operation = _parse(await read_body(request, LARGEST_REQUEST_BYTES))
        result = await self._schema.execute(
            query,
            variable_values=variables,
            operation_name=operation,
            context_value=context,
            allowed_operation_types=(OperationType.QUERY,),
        )
        if isinstance(result, PreExecutionError):
            return _answer({"errors": [_rejection(error) for error in result.errors or ()]}, 400)
        content: dict[str, Any] = {"data": result.data}
        errors = [_failure(error) for error in result.errors or ()]
        errors += [{"message": notice, "extensions": {"code": "LISTING_CUT"}} for notice in context.notices]
        if errors:
            content["errors"] = errors
        return _answer(content, 200)


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


def _rejection(error: GraphQLError) -> dict[str, Any]:
    code = "GRAPHQL_PARSE_FAILED" if isinstance(error, GraphQLSyntaxError) else "GRAPHQL_VALIDATION_FAILED"
    return {**error.formatted, "extensions": {"code": code}}


def _failure(error: GraphQLError) -> dict[str, Any]:
    """Show our own words for what a person can act on; everything else is our bug and gets a reference number."""
    formatted = dict(error.formatted)
    cause = error.original_error
    if isinstance(cause, PublicError):
        formatted["message"] = f"{cause.what} {cause.fix}".strip()
        formatted["extensions"] = {"code": CLIENT_CODE, "reason": cause.code}
    elif cause is not None:
        reference = secrets.token_hex(4)
        log.error("failure %s", reference, exc_info=cause)
        formatted["message"] = f"Something went wrong on our side. Reference: {reference}"
        formatted["extensions"] = {"code": CLIENT_CODE}
    return formatted


def _answer(content: dict[str, Any], status: int) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json", headers={"Cache-Control": "no-store"})
