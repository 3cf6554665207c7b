"""Sign-in with accounts of the platform's own, and at a provider beside them."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any, ClassVar

from jupyterhub import orm
from jupyterhub.auth import Authenticator
from nativeauthenticator import NativeAuthenticator
from traitlets import Integer, Type, Unicode

from hub import (
    account_pages,
    accounts,
    invitation_pages,
    notice_api,
    old_pages,
    provider_pages,
    session_api,
    sign_in_pages,
)
from hub.attempts import Attempts
from hub.discretion import keep_cookies_out_of_the_log
from hub.provider import AtProvider
from hub.removal import archive
from hub.sessions import announce_revocations
from twinhub.secrets import read_secret


class AccountAuthenticator(NativeAuthenticator):
    """NativeAuthenticator's table of accounts with our rules and pages, and one of oauthenticator's classes.

    nativeauthenticator 1.3.0 does not work with jupyterhub 6.1.1: its login
    handler uses `self.statsd`, which is gone, and passes no `sync` to
    `_render()`. Its admission pages change accounts on GET. So only its table,
    its place in the hub's life and its clean-up are used.
    """

    first_admin = Unicode(config=True, help="Name of the account made at the first start.")
    first_password_file = Unicode(config=True, help="File of mode 0600 with that account's first password.")
    first_admin_made_file = Unicode(config=True, help="File that tells that this was done.")
    wait_s = Integer(60, config=True, help="Seconds to wait after too many wrong passwords.")
    provider_class: Any = Type(None, AtProvider, allow_none=True, config=True, help="Where else people sign in.")
    revocations_file = Unicode(config=True, help="File whose time tells the services that sessions have ended.")
    origin = Unicode(config=True, help="Address of the platform, for links that people are given.")

    custom_html: ClassVar[str] = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        keep_cookies_out_of_the_log()
        self.attempts = Attempts(self.allowed_failed_logins, self.wait_s, time.monotonic)
        self.provider: AtProvider | None = None
        if self.provider_class is not None:
            self.provider = self.provider_class(parent=self.parent, _deprecated_db_session=self.db)
        announce_revocations(self.db, Path(self.revocations_file))
        self._ensure_first_admin()

    def _ensure_first_admin(self) -> None:
        made = Path(self.first_admin_made_file)
        if not self.first_admin or made.exists():
            return  # an administrator who was removed must not come back
        if accounts.find(self.db, self.first_admin) is None:
            password = read_secret(Path(self.first_password_file))
            accounts.create(self.db, self.first_admin, password, shortest=self.minimum_password_length, admitted=True)
        # Not by the hub's admin_users, which would make an administrator of this name at every start.
        if orm.User.find(self.db, self.first_admin) is None:
            self.db.add(orm.User(name=self.first_admin, admin=True))
            self.db.commit()
        made.touch()

    async def authenticate(self, handler: Any, data: dict[str, str] | None) -> str | None:
        """Give the name for a right password of an admitted account; otherwise tell the handler why not."""
        given = data if isinstance(data, dict) else {}
        name, password = str(given.get("username", "")).strip().lower(), str(given.get("password", ""))
        refusal = await self._refusal(name, password)
        if refusal:
            handler.sign_in_refusal = refusal
            return None
        return name

    async def _refusal(self, name: str, password: str) -> str:
        """Say why a sign-in is refused, revealing nothing to someone without the password."""
        name = name[: accounts.LONGEST_SHOWN]  # longer than any account's; nobody fills the memory with names
        wait = self.attempts.remaining_s(name)
        if wait:
            return f"Too many wrong passwords for this name. Try again in {wait} seconds."
        self.attempts.record_try(name)
        row = accounts.find(self.db, name)
        # In a thread: it takes a quarter of a second on purpose, and others sign in meanwhile.
        if not await asyncio.to_thread(accounts.password_matches, row, password):
            return "Wrong user name or password."
        self.attempts.record_success(name)
        if row is None or not row.is_authorized:
            return "This account waits for an administrator to admit it. Ask them, then sign in again."
        return ""

    def get_user(self, username: str) -> Any | None:
        """Read the account anew; the command line may have changed it."""
        return accounts.find(self.db, self.normalize_username(username))

    def validate_username(self, username: str) -> bool:
        """Accept the names that accounts.check_name accepts."""
        try:
            accounts.check_name(username)
        except accounts.AccountError:
            return False
        return bool(Authenticator.validate_username(self, username))

    def delete_user(self, user: Any) -> None:
        """Keep what a removed account needs to be restored; called however an account is removed."""
        archive(self.db, user.orm_user)

    def get_handlers(self, app: Any) -> list[tuple[str, type]]:
        """Give our pages instead of NativeAuthenticator's; they stand before the hub's own of the same address."""
        found = [
            *sign_in_pages.handlers(),
            *invitation_pages.handlers(),
            *account_pages.handlers(),
            *session_api.handlers(),
            *notice_api.handlers(),
            *old_pages.handlers(),
        ]
        return [*found, *(provider_pages.handlers() if self.provider is not None else [])]
