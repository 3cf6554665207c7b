"""What the pages ask the hub in the name of a browser's session: sign out, and tokens.

A session's own token cannot do these things at the hub's API: with the scope
`tokens` whoever stole it could make itself a token for everything that its
owner may do, for ever. Here a token reaches no further than the three choices
that people are given, has an end, and takes the password or a fresh sign-in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

from jupyterhub import orm
from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.apihandlers.users import UserTokenListAPIHandler
from tornado import web

from hub import access, accounts
from hub.sessions import PROGRAM_CLIENT, end_sessions
from hub.tables import Identity, now
from twinhub.errors import Forbidden, PublicError
from twinhub.names import WEB_CLIENT_ID

FRESH: Final = timedelta(minutes=10)


class PasswordNeeded(PublicError):
    """A token is made only for whoever proves once more who they are."""

    code = "password_needed"
    status = 403


class SignInAgain(PublicError):
    """A token is made only shortly after a sign-in at the provider."""

    code = "sign_in_again"
    status = 403


class _OfSession(APIHandler):
    """Answer only the pages, with the token of a browser's session."""

    async def answer(self, work: Callable[[orm.User], Awaitable[dict[str, Any]]], status: int = 200) -> None:
        """Do the work for the session's owner; a refusal goes out in the platform's shape."""
        try:
            result = await work(self._owner())
        except PublicError as error:
            self.set_status(error.status)
            result = error.as_json()
        else:
            self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.finish(result)

    def _owner(self) -> orm.User:
        token = self.get_token()
        if token is None or token.user is None or token.client_id != WEB_CLIENT_ID:
            raise Forbidden("This address is for the pages only.", "Use /app/tokens with a browser.")
        return token.user


class SignOutHandler(_OfSession):
    """`POST /hub/api/twinhub/sign-out`: end every session of the person."""

    async def post(self) -> None:
        await self.answer(self._sign_out)

    async def _sign_out(self, user: orm.User) -> dict[str, Any]:
        provider = self.authenticator.provider
        away = None
        if provider is not None:
            state = await self.find_user(user.name).get_auth_state()
            away = provider.end_session_url(state, f"{self.authenticator.origin}/hub/login")
        end_sessions(self.db, user)
        self.log.info("Signed out: %s", user.name)
        return {"end_session": away}


class TokensHandler(_OfSession):
    """`/hub/api/twinhub/tokens`: list one's tokens, make one."""

    async def get(self) -> None:
        await self.answer(self._list)

    async def post(self) -> None:
        await self.answer(self._make, 201)

    async def _list(self, user: orm.User) -> dict[str, Any]:
        tokens = access.program_tokens(self.db, user)
        return {
            "tokens": [access.describe(token) for token in tokens],
            "proof": "password" if accounts.find(self.db, user.name) else "provider",
        }

    async def _make(self, user: orm.User) -> dict[str, Any]:
        body = self.get_json_body()
        asked = body if isinstance(body, dict) else {}
        wish = access.read_wish(asked.get("access"), asked.get("hours"), asked.get("note"))
        await self._ensure_proof(user.name, str(asked.get("password") or ""))
        token = access.make_token(self.db, user, wish)
        self.log.info("%s made a token: %s for %s hours", user.name, wish.access, wish.hours)
        return {"token": token}

    async def _ensure_proof(self, name: str, password: str) -> None:
        row = accounts.find(self.db, name)
        if row is None:
            identity = self.db.query(Identity).filter_by(name=name).first()
            if identity is None or identity.signed_in_at < now() - FRESH:
                raise SignInAgain(
                    "Your sign-in at the provider is some time ago.", "Sign in there again, then make it."
                )
            return
        attempts = self.authenticator.attempts
        wait = attempts.remaining_s(name)
        if wait:
            raise PasswordNeeded("Too many wrong passwords.", f"Try again in {wait} seconds.")
        attempts.record_try(name)
        if not await asyncio.to_thread(accounts.password_matches, row, password):
            raise PasswordNeeded("The password is wrong.", "Type your password again.")
        attempts.record_success(name)


class TokenHandler(_OfSession):
    """`DELETE /hub/api/twinhub/tokens/ID`: revoke one."""

    async def delete(self, number: str) -> None:
        async def revoke(user: orm.User) -> dict[str, Any]:
            self.db.delete(access.find_token(self.db, user, number))
            self.db.commit()
            return {}

        await self.answer(revoke)


class HubTokensHandler(UserTokenListAPIHandler):
    """`/hub/api/users/NAME/tokens`: the hub's own, except that a cookie alone makes no token.

    A page in a workspace is of the hub's origin, so its script can send that cookie.
    """

    async def post(self, name: str) -> None:
        token = self.get_token()
        if self.current_user is not None and (token is None or token.client_id != PROGRAM_CLIENT):
            raise web.HTTPError(403, "Make tokens at /app/tokens.")
        await super().post(name)


def handlers() -> list[tuple[str, Any]]:
    """Give the routes below /hub."""
    return [
        (r"/api/twinhub/sign-out", SignOutHandler),
        (r"/api/twinhub/tokens", TokensHandler),
        (r"/api/twinhub/tokens/([0-9]{1,18})", TokenHandler),
        (r"/api/users/([^/]+)/tokens", HubTokensHandler),
    ]
