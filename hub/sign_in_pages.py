"""Pages before sign-in: sign in, ask for an account."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from jupyterhub._xsrf_utils import _set_xsrf_cookie
from jupyterhub.handlers.base import BaseHandler
from tornado import web

from hub import accounts
from twinhub.errors import PublicError

FIRST_PAGE: Final = "/app/library"


def safe_next(target: str) -> str:
    """Give a path on this origin to go on to; anything else becomes the Library.

    Browsers read `//host` and a backslash as another site, and strip tabs and line breaks.
    """
    if not target.startswith("/") or target.startswith("//") or "\\" in target or not target.isprintable():
        return FIRST_PAGE
    return target


def new_password(handler: BaseHandler) -> str:
    """Read a new password typed twice."""
    password = handler.get_body_argument("new_password", default="", strip=False)
    if password != handler.get_body_argument("new_password_again", default="", strip=False):
        raise accounts.AccountError("The two new passwords differ.", "Type the same one twice.")
    return str(password)


async def show_sign_in(handler: BaseHandler, local: Any, *, error: str = "", name: str = "") -> None:
    """Show the sign-in page: the provider's button where there is one, and the form for local accounts."""
    query = urlencode({"next": safe_next(handler.get_argument("next", ""))})
    html = await handler.render_template(
        "login.html",
        login_error=error,
        username=accounts.short(name),
        login_action=f"{handler.hub.base_url}login?{query}",
        provider=local.provider,
        provider_address=f"{handler.hub.base_url}oauth_login?{query}",
        sign_up=local.enable_signup,
        xsrf=handler.xsrf_token.decode("ascii"),
    )
    handler.finish(html)


class SignInHandler(BaseHandler):
    """`/hub/login`: sign in with a local account, or go on to the provider."""

    sign_in_refusal = ""
    """Why, as the authenticator found it."""

    async def get(self) -> None:
        if self.current_user:
            self.set_login_cookie(self.current_user)
            self.redirect(self._next())
            return
        await self._show()

    async def post(self) -> None:
        name = self.get_body_argument("username", default="", strip=True)
        password = self.get_body_argument("password", default="", strip=False)
        user = await self.login_user({"username": name, "password": password})
        if user is None:
            self.set_status(403)
            await self._show(error=self.sign_in_refusal, name=name)
            return
        self._jupyterhub_user = user
        self.redirect(self._next())

    def check_xsrf_cookie(self) -> None:
        """Say it for people who left the page open for long."""
        try:
            super().check_xsrf_cookie()
        except web.HTTPError as error:
            raise web.HTTPError(
                403, "This sign-in form has expired. Go back, reload the page and try again."
            ) from error

    def _next(self) -> str:
        return safe_next(self.get_argument("next", ""))

    async def _show(self, *, error: str = "", name: str = "") -> None:
        # Always a fresh one, so that the form does not expire while somebody looks for their password.
        _set_xsrf_cookie(self, self._xsrf_token_id, cookie_path=self.hub.base_url, xsrf_token=self.xsrf_token)
        await show_sign_in(self, self.authenticator, error=error, name=name)


class SignUpHandler(BaseHandler):
    """`/hub/signup`: ask for an account."""

    async def get(self) -> None:
        self._only_when_open()
        await self._show()

    async def post(self) -> None:
        self._only_when_open()
        name = self.get_body_argument("username", default="", strip=True)
        try:
            accounts.create(
                self.db,
                name,
                new_password(self),
                shortest=self.authenticator.minimum_password_length,
                admitted=self.authenticator.open_signup,
            )
        except PublicError as error:
            self.set_status(error.status)
            await self._show(error=error, name=accounts.short(name))
            return
        self.log.info("Account %s asks to be admitted", name)
        await self._show(done=name)

    def _only_when_open(self) -> None:
        if not self.authenticator.enable_signup:
            raise web.HTTPError(404, "Sign-up is closed here. Ask an administrator for an account.")

    async def _show(self, *, error: PublicError | None = None, name: str = "", done: str = "") -> None:
        shortest = self.authenticator.minimum_password_length
        self.finish(await self.render_template("signup.html", error=error, username=name, done=done, shortest=shortest))


def handlers() -> list[tuple[str, Any]]:
    """Give the routes below /hub."""
    return [(r"/login", SignInHandler), (r"/signup", SignUpHandler)]
