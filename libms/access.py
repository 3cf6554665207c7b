"""Who may do what: the one place that decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from libms.errors import AssetNotFound
from libms.paths import AssetPath
from twinhub.errors import Forbidden
from twinhub.names import COMMON
from twinhub.signin import User

READ_SCOPE_FIX: Final = "Make one with the scope custom:library:read."
WRITE_SCOPE_FIX: Final = "Make one with the scope custom:library:write."


def not_found(path: AssetPath) -> AssetNotFound:
    """Give the one answer for what is missing and for what somebody may not see."""
    return AssetNotFound(
        f"ENOENT: no such file or directory, '{path}'",
        "Look at what is there: the folder above it, or GET /lib/files for the owners that you see.",
    )


@dataclass(frozen=True)
class Access:
    """The rules: owners do all in their folder, everybody reads `common`, administrators do all."""

    common_writers: str | None = None
    """Group of the hub whose members change `common`; None for everybody."""

    def check(self, user: User, path: AssetPath, *, write: bool = False) -> None:
        """Let pass what the person may do; raises Forbidden, AssetNotFound."""
        if not user.may_read_library:
            raise Forbidden("This token does not allow reading the library.", READ_SCOPE_FIX)
        if path.hidden or (path.owner is not None and not self.may_see(user, path.owner)):
            raise not_found(path)
        if write:
            self._check_write(user, path)

    def _check_write(self, user: User, path: AssetPath) -> None:
        if not user.may_write_library:
            raise Forbidden("This token does not allow changing the library.", WRITE_SCOPE_FIX)
        if path.owner is None:
            raise Forbidden("Owners' folders are made by the platform.", "Write below one: OWNER/CATEGORY/…")
        if path.owner == COMMON and not self.may_write_common(user):
            raise Forbidden(
                f"'{path}' is shared, and '{user.name}' may read it, not change it.",
                f"Ask an administrator to be put into the group '{self.common_writers}'.",
            )

    def may_see(self, user: User, owner: str) -> bool:
        """Tell whether an owner's folder is there for this person."""
        return user.admin or owner in (user.name, COMMON)

    def may_write(self, user: User, owner: str) -> bool:
        """Tell whether the person may change an owner's assets."""
        if owner == COMMON and not self.may_write_common(user):
            return False
        return user.may_write_library and self.may_see(user, owner)

    def may_write_common(self, user: User) -> bool:
        """Tell whether the person has the role that changes shared assets."""
        return user.admin or self.common_writers is None or self.common_writers in user.groups

    def visible_owners(self, user: User, existing: list[str]) -> list[str]:
        """Give those owners' folders that the person sees at the root."""
        return [name for name in existing if self.may_see(user, name)]
