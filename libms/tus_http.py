"""The protocol's own HTTP: what its headers say, and the form of every answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from email.utils import formatdate
from typing import Any, Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from libms.access import WRITE_SCOPE_FIX
from libms.upload_rules import NotAMethod, Stalled, TakenOver, UnknownVersion, parse_count
from libms.upload_store import Upload
from twinhub.errors import Forbidden, PublicError
from twinhub.signin import User, current_user

VERSION: Final = "1.0.0"
ADDRESS: Final = "/lib/uploads"
BODY_TYPE: Final = "application/offset+octet-stream"
ALWAYS: Final = {"Tus-Resumable": VERSION, "Cache-Control": "no-store"}
DRAINED_BYTES: Final = 16 * 1024 * 1024
"""A refused body up to this size is read to its end, so that the refusal reaches clients that send before they read."""

Handler = Callable[[Request], Awaitable[Response]]


class Address:
    """An ASGI application: choose by method, and answer refusals in the protocol's form."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            handler = self._handlers.get(request.method)
            if handler is None:
                raise NotAMethod(f"{request.method[:20]} means nothing here.", f"Use {', '.join(self._handlers)}.")
            response = await handler(request)
        except PublicError as error:
            response = refused(request, error)
            if isinstance(error, NotAMethod):
                response.headers["Allow"] = ", ".join(self._handlers)
        await response(scope, receive, send)


def person_of(request: Request) -> User:
    """Give the person, whose token must allow writing; what they may write where is asked of `allowed`."""
    user = current_user(request)
    if not user.may_write_library:
        raise Forbidden("This token does not allow changing the library.", WRITE_SCOPE_FIX)
    return user


def check_version(request: Request) -> None:
    """Refuse other versions of the protocol; raises UnknownVersion."""
    given = request.headers.get("tus-resumable")
    if given != VERSION:
        raise UnknownVersion(f"Tus-Resumable is {(given or 'missing')[:40]!r}.", f"Send Tus-Resumable: {VERSION}.")


def body_type(request: Request) -> str:
    """Give the media type of the body without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def body_length(request: Request) -> int | None:
    """Give the announced length of the body; None where only its end will tell."""
    if "transfer-encoding" in request.headers:
        return None
    return parse_count("Content-Length", request.headers.getlist("content-length") or ["0"])


def answer(headers: Mapping[str, str], status: int = 204) -> Response:
    """Make an answer without a body."""
    return Response(status_code=status, headers={**ALWAYS, **headers})


def refused(request: Request, error: PublicError) -> Response:
    """Make the answer for what a person can act on."""
    response = JSONResponse(error.as_json(), status_code=error.status, headers=ALWAYS)
    if isinstance(error, UnknownVersion):
        response.headers["Tus-Version"] = VERSION
    announced = request.headers.get("content-length", "0")
    endless = "transfer-encoding" in request.headers or not announced.isdigit() or int(announced) > DRAINED_BYTES
    if endless or isinstance(error, (TakenOver, Stalled)):
        response.headers["Connection"] = "close"
    return response


def address_of(upload: Upload) -> str:
    """Give the upload's address on this origin; what proxies say about hosts and schemes is never read."""
    return f"{ADDRESS}/{upload.id}"


def state_of(upload: Upload) -> dict[str, str]:
    """Give the headers that say until when, and where the finished file is."""
    headers = {"Upload-Expires": formatdate(upload.expires, usegmt=True)}
    if upload.placed is not None:
        headers["Upload-Path"] = quote(str(upload.placed), safe="/")
        if upload.etag:
            headers["ETag"] = upload.etag
    return headers


def as_json(upload: Upload) -> dict[str, Any]:
    """Give what the page needs to offer to go on."""
    return {
        "id": upload.id,
        "path": str(upload.wish.path),
        "length": upload.length,
        "offset": upload.offset,
        "created": upload.created,
        "expires": upload.expires,
        "address": address_of(upload),
    }
