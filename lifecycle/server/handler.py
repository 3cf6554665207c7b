"""The edge: requests are signed in, checked and handed to their operation; what comes back is written."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

from lifecycle.errors import BadRequest, TwinError
from lifecycle.server.bodies import read_body, read_query
from lifecycle.server.operations import JSON, Call, Operation, Reply, World

REFUSALS: Final = {
    400: ("bad_request", "The request cannot be understood.", "openapi.json names what can be asked."),
    403: ("forbidden", "This is not allowed.", "Sign in, or send a token that may use this workspace."),
    404: ("page_not_found", "There is nothing at this address.", "openapi.json names all addresses."),
    405: ("method_not_allowed", "The address does not know this method.", "openapi.json names those it knows."),
    413: ("too_large", "The body is larger than allowed here.", "Send less."),
}
LONGEST_NAME_BYTES: Final = 255
NOT_SIGNED_IN: Final = (
    "not_signed_in",
    "The request carries no valid token and no session.",
    "Send 'Authorization: token TOKEN'; tokens are made on the hub's token page.",
)


class Refusals:
    """Refusals in the platform's shape, for any of Jupyter's handlers."""

    allowed: tuple[str, ...] = ()
    signed_out_status = 401

    def write_error(self: Any, status_code: int, **kwargs: Any) -> None:
        """Give every refusal its code, words and remedy; our own bugs get a number to find them by in the log."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, TwinError):
            self.refuse(error.status, error.as_json())
            return
        code, what, fix = REFUSALS.get(status_code, REFUSALS[400])
        if status_code == 403 and not self.current_user:
            code, what, fix = NOT_SIGNED_IN
            status_code = self.signed_out_status
            self.set_header("WWW-Authenticate", "Bearer")
        elif status_code >= 500:
            number = secrets.token_hex(4)
            self.log.error("error %s at %s %s", number, self.request.method, self.request.path)
            code, what, fix = (
                "internal",
                f"Something went wrong here: {number}.",
                "The workspace's log has the details.",
            )
        elif isinstance(error, web.HTTPError) and error.log_message and status_code != 404:
            what = str(error.log_message)[:300]
        if status_code == 405:
            self.set_header("Allow", ", ".join((*self.allowed, "OPTIONS")))
        self.refuse(status_code, {"error": {"code": code, "what": what, "fix": fix}})

    def refuse(self: Any, status: int, content: dict[str, Any]) -> None:
        """Write a refusal."""
        self.set_status(status)
        self.set_header("Content-Type", JSON)
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(content))

    def log_exception(self: Any, typ: Any, value: Any, tb: Any) -> None:
        """Keep refusals out of the log."""
        if not isinstance(value, TwinError):
            web.RequestHandler.log_exception(self, typ, value, tb)


class TwinsHandler(Refusals, APIHandler):
    """Common to all that answers over HTTP."""

    auth_resource = "twins"

    def reply(self, reply: Reply, usual_status: int) -> None:
        """Write an answer."""
        self.set_status(reply.status or usual_status)
        self.set_header("Cache-Control", "no-store")
        for name, value in reply.headers.items():
            self.set_header(name, value)
        content = as_text(reply.content) if reply.media == JSON else reply.content
        self.finish(content, set_content_type=reply.media)


def as_text(content: Any) -> str:
    """Write JSON; NaN and infinities, for which it has no words, become null."""
    try:
        return json.dumps(content, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(content))


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not isfinite(value) else value


class OperationHandler(TwinsHandler):
    """One address with its operations by method."""

    def initialize(self, world: World, operations: Mapping[str, Operation]) -> None:
        """Take what `routes` gives."""
        self.world = world
        self.operations = operations
        self.allowed = tuple(operations)

    @web.authenticated
    @authorized
    async def get(self, *parts: str) -> None:
        await self._act(parts)

    @web.authenticated
    @authorized
    async def post(self, *parts: str) -> None:
        await self._act(parts)

    @web.authenticated
    @authorized
    async def delete(self, *parts: str) -> None:
        await self._act(parts)

    async def _act(self, parts: tuple[str, ...]) -> None:
        operation = self.operations.get(self.request.method or "")
        if operation is None:
            raise web.HTTPError(405)
        if len(self.request.body) > operation.largest_body_bytes:
            raise web.HTTPError(413)
        query = read_query(self.request.query_arguments, operation.query)
        body = None
        if operation.body is not None:
            try:
                body = read_body(self.request.body, operation.body, required=operation.body_required)
            except BadRequest as error:
                if operation.refuse is None:
                    raise
                self.reply(operation.refuse(error), 400)
                return
        named = dict(zip(operation.names, parts, strict=True))
        if any(name != "file" and len(os.fsencode(part)) > LONGEST_NAME_BYTES for name, part in named.items()):
            raise web.HTTPError(404)  # no file system has such a name, and asking it for one is an error
        try:
            answer = await operation.act(Call(self.world, named, query, body))
        except TwinError as error:
            # What openapi.json allows and a rule does not is understood, so it is no bad request.
            self.refuse(422 if error.status == 400 else error.status, error.as_json())
            return
        reply = answer if isinstance(answer, Reply) else Reply(answer)
        self.reply(reply, operation.answer.status)


class NothingHereHandler(TwinsHandler):
    """Any other address below ours."""

    @web.authenticated
    async def get(self) -> None:
        raise web.HTTPError(404)

    post = put = patch = delete = head = get
