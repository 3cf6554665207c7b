"""Sign-in with accounts of the platform's own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, ClassVar

from jupyterhub.auth import Authenticator
from nativeauthenticator import NativeAuthenticator
from traitlets import Integer, Unicode

from hub import account_pages, accounts
from hub.attempts import Attempts
from twinhub.secrets import read_secret


class AccountAuthenticator(NativeAuthenticator):
    """NativeAuthenticator's table of accounts with our rules and pages.

    nativeauthenticator 1.3.0 does not work with jupyterhub 6.1.1: its login
    handler uses `self.statsd`, which is gone, and passes no `sync` to
    `_render()`. Its admission pages change accounts on GET. So only its table,
    its place in the hub's life and its clean-up are used.
    """

    first_admin = Unicode(config=True, help="Name of the account made at the first start.")
    first_password_file = Unicode(config=True, help="File of mode 0600 with that account's first password.")
    first_admin_made_file = Unicode(config=True, help="File that tells that this was done.")
    wait_s = Integer(60, config=True, help="Seconds to wait after too many wrong passwords.")

    custom_html: ClassVar[str] = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.attempts = Attempts(self.allowed_failed_logins, self.wait_s, time.monotonic)
        self._ensure_first_admin()

    def _ensure_first_admin(self) -> None:
        made = Path(self.first_admin_made_file)
        if not self.first_admin or made.exists():
            return  # an administrator who was removed must not come back
        if accounts.find(self.db, self.first_admin) is None:
            password = read_secret(Path(self.first_password_file))
            accounts.create(self.db, self.first_admin, password, shortest=self.minimum_password_length, admitted=True)
        made.touch()

    async def authenticate(self, handler: Any, data: dict[str, str]) -> str | None:
        """Give the name for a right password of an admitted account, otherwise None."""
        name = data.get("username", "").strip().lower()
        if self.attempts.remaining_s(name):
            return None
        row = accounts.find(self.db, name)
        if not accounts.password_matches(row, data.get("password", "")):
            self.attempts.record_failure(name)
            return None
        self.attempts.record_success(name)
        return name if row is not None and row.is_authorized else None

    def refusal(self, name: str, password: str) -> str:
        """Say why a sign-in was refused, revealing nothing to someone without the password."""
        name = name.strip().lower()
        wait = self.attempts.remaining_s(name)
        if wait:
            return f"Too many wrong passwords for this name. Try again in {wait} seconds."
        row = accounts.find(self.db, name)
        if accounts.password_matches(row, password):
            return "This account waits for an administrator to admit it. Ask them, then sign in again."
        return "Wrong user name or password."

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

    def get_handlers(self, app: Any) -> list[tuple[str, type]]:
        """Give our pages instead of NativeAuthenticator's."""
        return account_pages.handlers()
