"""Who may have an account."""

from __future__ import annotations

from pydantic import Field

from twinhub.names import USERNAME_PATTERN
from twinhub.settings.section import Section


class Accounts(Section):
    """Who may have an account."""

    admin: str = Field("admin", pattern=USERNAME_PATTERN, description="Name of the first administrator.")
    sign_up: bool = Field(True, description="Whether people may ask for an account on the login page.")
    password_length: int = Field(10, ge=8, le=20, description="Shortest password accepted at sign-up.")
    failed_logins: int = Field(5, ge=1, description="Wrong passwords in a row before an account has to wait.")
    wait_s: int = Field(60, ge=1, description="Seconds such an account has to wait before the next try.")
