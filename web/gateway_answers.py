"""What the gateway asks of the pages: who wants to reach a mounted server, and words for its own refusals.

The gateway passes nobody else's requests on to these addresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from twinhub.error_page import error_page
from twinhub.errors import Forbidden, NotSignedIn, PublicError
from twinhub.names import (
    FORWARDED_GROUPS,
    FORWARDED_USER,
    GATEWAY_REFUSAL_PATH,
    GATEWAY_SIGN_IN_PATH,
    SIGN_IN_PATH,
)
from twinhub.settings import ExternalService
from twinhub.signin import HubClient, Sessions, User
from twinhub.signin.middleware import SAFE_METHODS, bearer_token
from web.errors import PageNotFound, PartSilent, TooLarge, TooManyRequests

OUR_COOKIES: Final = ("twinhub-", "jupyterhub-", "__Host-twinhub-", "__Host-jupyterhub-")
RETRY_AFTER_S: Final = {"sign-in": 15, "request": 2}
NAME_CHARACTERS: Final = " @:/+"
"""Of a group's name, besides letters, digits and _.-~; all others are percent-encoded, the comma between two too."""


class GatewayAnswers:
    """Routes for the gateway; SignIn must leave them open."""

    def __init__(self, client: HubClient, sessions: Sessions, external: Mapping[str, ExternalService]) -> None:
        self._client = client
        self._sessions = sessions
        self._external = external

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route(GATEWAY_SIGN_IN_PATH + "/{service}", self.sign_in),
            Route(GATEWAY_REFUSAL_PATH + "/{reason}/{status:int}", self.refusal),
        ]

    async def sign_in(self, request: Request) -> Response:
        """Tell whether a request may reach a mounted server, and what of its headers goes there."""
        service = self._external.get(request.path_params["service"])
        if service is None:
            raise PageNotFound("There is no such server any more.", "Reload the page.")
        passed_on = {"Cookie": self._foreign_cookies(request)}
        if "authorization" in request.headers:
            passed_on["Authorization"] = request.headers["authorization"]
        if service.sign_in:
            try:
                user, by_token = await self._identify(request)
                _check_group(user, service)
            except PublicError as error:
                return refuse(request, error)
            if by_token:
                del passed_on["Authorization"]
            passed_on[FORWARDED_USER] = user.name
            passed_on[FORWARDED_GROUPS] = ",".join(quote(group, safe=NAME_CHARACTERS) for group in sorted(user.groups))
        return Response(headers={name: value for name, value in passed_on.items() if value})

    async def _identify(self, request: Request) -> tuple[User, bool]:
        """Give the person, and whether a token of ours named them; raises NotSignedIn, Forbidden, HubUnreachable.

        What is no token of ours may be one of the mounted server's own, so the session counts beside it.
        """
        token = bearer_token(request.headers)
        user = await self._client.fetch_user(token) if token else None
        if user is not None:
            return user, True
        opened = self._sessions.open(request.cookies.get(self._sessions.cookie.name, ""))
        user = await self._client.fetch_user(opened) if opened else None
        if user is None:
            raise NotSignedIn(
                "This address needs a sign-in.",
                "Send 'Authorization: token TOKEN' with a token of yours, or sign in with a browser.",
            )
        if not _comes_from_us(request):
            raise Forbidden("This was asked for by a page of another site.", "Use the pages of this platform.")
        return user, False

    @staticmethod
    def _foreign_cookies(request: Request) -> str:
        """Give the cookies that are none of ours, as they came."""
        pairs = [pair.strip() for pair in "; ".join(request.headers.getlist("cookie")).split(";")]
        return "; ".join(pair for pair in pairs if pair and not pair.startswith(OUR_COOKIES))

    async def refusal(self, request: Request) -> Response:
        """Put into words that the gateway refused a request, or found nobody to pass it on to."""
        reason, status = request.path_params["reason"], request.path_params["status"]
        wait_s = RETRY_AFTER_S.get(reason, 2)
        error = _refusal(reason, status, wait_s)
        answer: Response
        if _wants_page(request):
            answer = error_page(error)
        else:
            answer = JSONResponse(error.as_json(), status_code=error.status, headers={"Cache-Control": "no-store"})
        if status != TooLarge.status:
            answer.headers["Retry-After"] = str(wait_s)
        return answer


def _refusal(reason: str, status: int, wait_s: int) -> PublicError:
    if status == TooLarge.status:
        return TooLarge("The request is larger than this address takes.", "Files go to the Library, of any size.")
    if status == TooManyRequests.status:
        what = "Too many attempts to sign in" if reason == "sign-in" else "Too many requests"
        return TooManyRequests(f"{what} came from your address.", f"Wait {wait_s} seconds, then go on.")
    return PartSilent(
        "This part of the platform does not answer just now.",
        "It usually comes back by itself within seconds: try again. If it stays so, tell an administrator.",
    )


def _check_group(user: User, service: ExternalService) -> None:
    if service.groups and not user.admin and not user.groups.intersection(service.groups):
        raise Forbidden(
            f"{service.path} is for members of {', '.join(service.groups)}.", "Ask an administrator to make you one."
        )


def _comes_from_us(request: Request) -> bool:
    """Tell whether a page of ours, or nobody's, asks for what a session alone allows."""
    headers = request.headers
    changes = headers.get("x-forwarded-method", "GET") not in SAFE_METHODS or "sec-websocket-key" in headers
    if not changes:
        return True
    host = headers.get("x-forwarded-host", "").lower()
    # Browsers leave the first out on plain HTTP, and programs leave out both.
    origin = urlsplit(headers.get("origin", f"//{host}")).netloc.lower()
    return headers.get("sec-fetch-site", "same-origin") == "same-origin" and origin == host


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and "authorization" not in request.headers


def refuse(request: Request, error: PublicError) -> Response:
    """Answer in the gateway's name: a page, the way to the sign-in, or JSON."""
    safe = request.headers.get("x-forwarded-method", "GET") in SAFE_METHODS
    if _wants_page(request) and safe and isinstance(error, NotSignedIn):
        target = request.headers.get("x-forwarded-uri", "/")
        return RedirectResponse(f"{SIGN_IN_PATH}?next={quote(target, safe='')}", status_code=302)
    if _wants_page(request):
        return error_page(error)
    extra = {"WWW-Authenticate": "Bearer"} if isinstance(error, NotSignedIn) else {}
    return JSONResponse(error.as_json(), status_code=error.status, headers={"Cache-Control": "no-store", **extra})
