"""Pages for accounts: sign in, sign up, change a password, admit people."""

from __future__ import annotations

from typing import Any

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.handlers.login import LoginHandler
from jupyterhub.scopes import needs_scope
from tornado import web

from hub import accounts
from twinhub.errors import PublicError

NEEDS_ADMIN = needs_scope("admin:users")


class SignInHandler(LoginHandler):
    """`/hub/login`: JupyterHub's own handler, with a reason where it refuses."""

    async def post(self) -> None:
        name = self.get_body_argument("username", default="", strip=True)
        password = self.get_body_argument("password", default="", strip=False)
        user = await self.login_user({"username": name, "password": password})
        if user:
            self._jupyterhub_user = user
            self.redirect(self.get_next_url(user))
            return
        self.set_status(403)
        refusal = self.authenticator.refusal(name, password)
        self.finish(await self._render(login_error=refusal, username=name[:64]))


class SignUpHandler(BaseHandler):
    """`/hub/signup`: ask for an account."""

    async def get(self) -> None:
        self._only_when_open()
        await self._show()

    async def post(self) -> None:
        self._only_when_open()
        name = self.get_body_argument("username", default="", strip=True)
        try:
            password = _new_password(self)
            accounts.create(
                self.db,
                name,
                password,
                shortest=self.authenticator.minimum_password_length,
                admitted=self.authenticator.open_signup,
            )
        except PublicError as error:
            self.set_status(error.status)
            await self._show(error=error, name=name[:64])
            return
        self.log.info("Account %s asks to be admitted", name)
        await self._show(done=name)

    def _only_when_open(self) -> None:
        if not self.authenticator.enable_signup:
            raise web.HTTPError(404, "Sign-up is closed here. Ask an administrator for an account.")

    async def _show(self, *, error: PublicError | None = None, name: str = "", done: str = "") -> None:
        self.finish(
            await self.render_template(
                "signup.html",
                error=error,
                username=name,
                done=done,
                shortest=self.authenticator.minimum_password_length,
            )
        )


class PasswordHandler(BaseHandler):
    """`/hub/password`: change one's own password."""

    @web.authenticated
    async def get(self) -> None:
        await self._show()

    @web.authenticated
    async def post(self) -> None:
        name = self.current_user.name
        attempts = self.authenticator.attempts
        try:
            wait = attempts.remaining_s(name)
            if wait:
                raise accounts.AccountError("Too many wrong passwords.", f"Try again in {wait} seconds.")
            row = accounts.find(self.db, name)
            if not accounts.password_matches(row, self.get_body_argument("old_password", "", strip=False)):
                attempts.record_failure(name)
                raise accounts.AccountError("The current password is wrong.", "Type it again.")
            accounts.change_password(
                self.db, name, _new_password(self), shortest=self.authenticator.minimum_password_length
            )
        except PublicError as error:
            self.set_status(error.status)
            await self._show(error=error)
            return
        await self._show(done=True)

    async def _show(self, *, error: PublicError | None = None, done: bool = False) -> None:
        shortest = self.authenticator.minimum_password_length
        self.finish(await self.render_template("password.html", error=error, done=done, shortest=shortest))


class AccountsHandler(BaseHandler):
    """`/hub/accounts`: who waits to be admitted, who has an account."""

    @NEEDS_ADMIN
    async def get(self) -> None:
        await self._show()

    @NEEDS_ADMIN
    async def post(self) -> None:
        name = self.get_body_argument("username", default="")
        action = self.get_body_argument("action", default="")
        try:
            done = self._act(action, name)
        except PublicError as error:
            self.set_status(error.status)
            await self._show(error=error)
            return
        self.log.info("%s: %s account %s", self.current_user.name, action, name)
        await self._show(done=done)

    def _act(self, action: str, name: str) -> str:
        if action == "admit":
            accounts.admit(self.db, name)
            return f"{name} can sign in now."
        if action == "refuse":
            if accounts.get(self.db, name).is_authorized:
                raise accounts.AccountError(f"{name} has been admitted already.", "Remove them on the Admin page.")
            accounts.remove(self.db, name)
            return f"The request of {name} is gone."
        if action == "password":
            shortest = self.authenticator.minimum_password_length
            accounts.change_password(self.db, name, _new_password(self), shortest=shortest)
            return f"{name} has a new password."
        raise accounts.AccountError(f"'{action[:40]}' is not an action.", "Use the buttons of this page.")

    async def _show(self, *, error: PublicError | None = None, done: str = "") -> None:
        everybody = accounts.list_accounts(self.db)
        self.finish(
            await self.render_template(
                "accounts.html",
                waiting=[account for account in everybody if not account.admitted],
                admitted=[account for account in everybody if account.admitted],
                error=error,
                done=done,
                shortest=self.authenticator.minimum_password_length,
            )
        )


def _new_password(handler: BaseHandler) -> str:
    """Read a new password typed twice."""
    password = handler.get_body_argument("new_password", default="", strip=False)
    if password != handler.get_body_argument("new_password_again", default="", strip=False):
        raise accounts.AccountError("The two new passwords differ.", "Type the same one twice.")
    return str(password)


def handlers() -> list[tuple[str, Any]]:
    """Give the routes below /hub."""
    return [
        (r"/login", SignInHandler),
        (r"/signup", SignUpHandler),
        (r"/password", PasswordHandler),
        (r"/accounts", AccountsHandler),
    ]
