"""Pages for accounts, after sign-in: one's own password; for administrators, everybody's accounts."""

from __future__ import annotations

import asyncio
from typing import Any

from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.scopes import needs_scope
from tornado import web

from hub import access, account_list, accounts, invitations, service_accounts
from hub.account_actions import Actions, Done
from hub.sessions import end_sessions
from hub.sign_in_pages import new_password
from twinhub.errors import PublicError

NEEDS_ADMIN = needs_scope("admin:users")


class PasswordHandler(BaseHandler):
    """`/hub/password`: change one's own password, which signs every other browser out."""

    @web.authenticated
    async def get(self) -> None:
        await self._show()

    @web.authenticated
    async def post(self) -> None:
        try:
            await self._change(self.current_user.name)
        except PublicError as error:
            self.set_status(error.status)
            await self._show(error=error)
            return
        user = self.current_user
        end_sessions(self.db, user.orm_user, keep=self.get_session_cookie())
        self.set_login_cookie(user)
        self.log.info("%s changed their password", user.name)
        await self._show(done=True)

    async def _change(self, name: str) -> None:
        attempts = self.authenticator.attempts
        wait = attempts.remaining_s(name)
        if wait:
            raise accounts.AccountError("Too many wrong passwords.", f"Try again in {wait} seconds.")
        attempts.record_try(name)
        row = accounts.find(self.db, name)
        old = self.get_body_argument("old_password", "", strip=False)
        if not await asyncio.to_thread(accounts.password_matches, row, old):
            raise accounts.AccountError("The current password is wrong.", "Type it again.")
        attempts.record_success(name)
        shortest = self.authenticator.minimum_password_length
        accounts.change_password(self.db, name, new_password(self), shortest=shortest)

    async def _show(self, *, error: PublicError | None = None, done: bool = False) -> None:
        html = await self.render_template(
            "password.html",
            error=error,
            done=done,
            shortest=self.authenticator.minimum_password_length,
            local=accounts.find(self.db, self.current_user.name) is not None,
            provider=self.authenticator.provider,
        )
        self.finish(html)


class AccountsHandler(BaseHandler):
    """`/hub/accounts`: who waits to be admitted, who has an account, who is invited, which programs come in."""

    @web.authenticated  # first: who is not signed in is asked to, not refused
    @NEEDS_ADMIN
    async def get(self) -> None:
        await self._show()

    @web.authenticated
    @NEEDS_ADMIN
    async def post(self) -> None:
        form = {key: self.get_body_argument(key, default="") for key in self.request.body_arguments}
        try:
            if "new_password" in form:
                form["password"] = new_password(self)
            done = await Actions(self).perform(form.get("action", ""), form)
        except PublicError as error:
            self.set_status(error.status)
            await self._show(error=error)
            return
        await self._show(done=done)

    async def _show(self, *, error: PublicError | None = None, done: Done | None = None) -> None:
        search = self.get_query_argument("search", "")[:64]
        number = self.get_query_argument("page", "1")
        page = account_list.list_page(
            self.db, search=search, number=int(number) if number.isdigit() and len(number) < 9 else 1
        )
        html = await self.render_template(
            "accounts.html",
            waiting=account_list.list_waiting(self.db),
            waiting_count=account_list.count_waiting(self.db),
            page=page,
            search=search,
            invitations=invitations.list_invitations(self.db),
            services=service_accounts.list_all(self.db),
            removed=account_list.list_removed(self.db),
            accesses=access.WORDS,
            error=error,
            done=done,
            shortest=self.authenticator.minimum_password_length,
        )
        self.set_header("Cache-Control", "no-store")
        self.finish(html)


class AccountsApiHandler(APIHandler):
    """`/hub/api/twinhub/accounts`: the same for the operator's command."""

    @NEEDS_ADMIN
    async def get(self) -> None:
        waiting = [vars(account) for account in account_list.list_waiting(self.db)]
        found = []
        number, last = 1, 1
        while number <= last:
            page = account_list.list_page(self.db, number=number)
            found += [vars(account) for account in page.accounts]
            number, last = number + 1, page.last
        self.finish(
            {
                "accounts": [_plain(account) for account in (*found, *waiting)],
                "services": service_accounts.list_all(self.db),
                "invitations": [_invitation(row) for row in invitations.list_invitations(self.db)],
                "removed": [
                    {"name": row.name, "removed_at": f"{row.removed_at.isoformat(timespec='seconds')}Z"}
                    for row in account_list.list_removed(self.db)
                ],
            }
        )

    @NEEDS_ADMIN
    async def post(self) -> None:
        body = self.get_json_body()
        form = {str(key): str(value) for key, value in body.items()} if isinstance(body, dict) else {}
        try:
            done = await Actions(self).perform(form.get("action", ""), form)
        except PublicError as error:
            self.set_status(error.status)
            self.finish(error.as_json())
            return
        self.finish({"words": done.words, "secret": done.secret})


def _plain(account: dict[str, Any]) -> dict[str, Any]:
    last = account["last_activity"]
    moment = f"{last.isoformat(timespec='seconds')}Z" if last else ""
    return {**account, "groups": list(account["groups"]), "last_activity": moment}


def _invitation(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "note": row.note,
        "admin": bool(row.admin),
        "groups": row.groups,
        "uses_left": row.uses_left,
        "created_by": row.created_by,
        "expires_at": f"{row.expires_at.isoformat(timespec='seconds')}Z",
    }


def handlers() -> list[tuple[str, Any]]:
    """Give the routes below /hub."""
    return [
        (r"/password", PasswordHandler),
        (r"/accounts", AccountsHandler),
        (r"/api/twinhub/accounts", AccountsApiHandler),
    ]
