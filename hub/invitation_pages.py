"""Where an invitation leads: name, password, and in."""

from __future__ import annotations

from typing import Any

from jupyterhub.handlers.base import BaseHandler

from hub import accounts, invitations
from hub.sign_in_pages import FIRST_PAGE, new_password
from twinhub.errors import PublicError


class InvitationHandler(BaseHandler):
    """`/hub/invite#TOKEN`: the token stays in the browser until the form is sent."""

    async def get(self) -> None:
        await self._show()

    async def post(self) -> None:
        name = self.get_body_argument("username", default="", strip=True)
        token = self.get_body_argument("invitation", default="", strip=True)
        shortest = self.authenticator.minimum_password_length
        try:
            invitations.accept(self.db, token[:200], name, new_password(self), shortest=shortest)
        except PublicError as error:
            self.set_status(error.status)
            await self._show(error=error, name=accounts.short(name), token=token[:200])
            return
        self.log.info("%s came by an invitation", name)
        user = self.find_user(name)
        self.set_login_cookie(user)
        self.redirect(FIRST_PAGE)

    async def _show(self, *, error: PublicError | None = None, name: str = "", token: str = "") -> None:
        self.set_header("Referrer-Policy", "no-referrer")
        self.finish(
            await self.render_template(
                "invite.html",
                error=error,
                username=name,
                invitation=token,
                shortest=self.authenticator.minimum_password_length,
            )
        )


def handlers() -> list[tuple[str, Any]]:
    """Give the routes below /hub."""
    return [(r"/invite", InvitationHandler)]
