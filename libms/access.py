"""Who may do what: the one place that decides."""

from __future__ import annotations

from libms.errors import AssetNotFound
from libms.paths import AssetPath
from twinhub.errors import Forbidden
from twinhub.names import COMMON
from twinhub.signin import User


def not_found(path: AssetPath) -> AssetNotFound:
    """Give the one answer for what is missing and for what somebody may not see."""
    return AssetNotFound(f"ENOENT: no such file or directory, '{path}'", "")


def authorise(user: User, path: AssetPath, *, write: bool = False) -> None:
    """Let pass what the person may do; raises Forbidden, AssetNotFound."""
    if not user.may_read_library:
        raise Forbidden(
            "This token does not allow reading the library.", "Make one with the scope custom:library:read."
        )
    if path.hidden or (path.owner is not None and not (user.admin or path.owner in (user.name, COMMON))):
        raise not_found(path)
    if write:
        if not user.may_write_library:
            raise Forbidden(
                "This token does not allow changing the library.", "Make one with the scope custom:library:write."
            )
        if path.owner is None:
            raise Forbidden("Owners' folders are made by the platform.", "Write below one: OWNER/CATEGORY/…")


def visible_owners(user: User, existing: list[str]) -> list[str]:
    """Give the owners' folders that the person sees at the root."""
    return [name for name in existing if user.admin or name in (user.name, COMMON)]
