"""The person behind a request, as the hub describes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import HTTPConnection

from twinhub.names import (
    SCOPE_LIBRARY_READ,
    SCOPE_LIBRARY_WRITE,
    SCOPE_REALTIME_READ,
    SCOPE_REALTIME_SEND,
    SCOPE_REALTIME_WRITE,
)


@dataclass(frozen=True)
class User:
    """A person or service account, and what the presented token allows."""

    name: str
    admin: bool
    scopes: frozenset[str]
    token: str = field(repr=False)
    """The token itself, to act for the person at the hub or in their workspace; never log it."""

    groups: frozenset[str] = frozenset()
    """Groups of the hub that the person belongs to."""

    @property
    def may_read_library(self) -> bool:
        """Whether the token allows reading assets."""
        return SCOPE_LIBRARY_READ in self.scopes or self.may_write_library

    @property
    def may_write_library(self) -> bool:
        """Whether the token allows changing assets."""
        return SCOPE_LIBRARY_WRITE in self.scopes

    @property
    def may_read_realtime(self) -> bool:
        """Whether the token allows looking at models and their instances."""
        return SCOPE_REALTIME_READ in self.scopes or self.may_write_realtime

    @property
    def may_send_realtime(self) -> bool:
        """Whether the token allows sending messages to models."""
        return SCOPE_REALTIME_SEND in self.scopes or self.may_write_realtime

    @property
    def may_write_realtime(self) -> bool:
        """Whether the token allows deploying and changing models, and all else."""
        return SCOPE_REALTIME_WRITE in self.scopes

    def is_workspace(self, server: str) -> bool:
        """Tell whether the token is the one that a workspace of the person was started with."""
        return f"access:servers!server={self.name}/{server}" in self.scopes


def user_from_model(model: Mapping[str, Any], token: str) -> User:
    """Read the hub's answer to `GET /hub/api/user`."""
    return User(
        name=model["name"],
        admin=bool(model.get("admin", False)),
        scopes=frozenset(model.get("scopes", ())),
        token=token,
        groups=frozenset(model.get("groups", ())),
    )


def current_user(connection: HTTPConnection) -> User:
    """Give the person behind a request that has passed SignIn."""
    user = connection.scope["state"]["user"]
    assert isinstance(user, User)  # noqa: S101 - only SignIn writes it
    return user
