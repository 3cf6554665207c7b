"""Asset paths: `OWNER/CATEGORY/…`, compared byte for byte."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from libms.errors import PathRefused
from twinhub.names import COMMON, USERNAME_PATTERN, Category

LONGEST_NAME_BYTES: Final = 255
LONGEST_PATH_BYTES: Final = 4096


@dataclass(frozen=True)
class AssetPath:
    """A checked path: an owner, and names below their folder. No owner means the root of all."""

    owner: str | None
    names: tuple[str, ...]

    def __str__(self) -> str:
        return "/".join((self.owner or "", *self.names))

    @property
    def inside(self) -> str:
        """The path below the owner's folder, '.' for the folder itself."""
        return "/".join(self.names) or "."

    @property
    def name(self) -> str:
        """The last name."""
        return self.names[-1] if self.names else (self.owner or "")

    @property
    def parent(self) -> AssetPath:
        """The folder that holds it."""
        return AssetPath(self.owner, self.names[:-1]) if self.names else AssetPath(None, ())

    def __truediv__(self, relative: str) -> AssetPath:
        """Give what is below it under a relative path whose parts are joined by '/'."""
        return AssetPath(self.owner, (*self.names, *relative.split("/")))

    @property
    def category(self) -> str | None:
        """The category it belongs to; None for an owner's folder and for what is in none of the five."""
        return self.names[0] if self.names and self.names[0] in set(Category) else None

    @property
    def fixed(self) -> bool:
        """Whether it is part of every owner's layout, and so can be neither moved nor deleted."""
        return len(self.names) == 0 or (len(self.names) == 1 and self.names[0] in set(Category))

    @property
    def hidden(self) -> bool:
        """Whether it is the place at which workspaces see `common`; assets of `common` have their own path."""
        return self.owner != COMMON and self.names[:1] == (COMMON,)


def parse_path(text: str) -> AssetPath:
    """Check a path that somebody sent; raises PathRefused.

    Slashes at either end, and doubled ones, are accepted.
    """
    try:
        size = len(text.encode("utf-8", "strict"))
    except UnicodeEncodeError as error:
        raise PathRefused("The path is not valid Unicode.", "Send it as UTF-8.") from error
    if size > LONGEST_PATH_BYTES:
        raise PathRefused(f"The path is {size} bytes long.", f"At most {LONGEST_PATH_BYTES} are possible.")
    parts = [part for part in text.split("/") if part]
    for part in parts:
        _check_name(part)
    if not parts:
        return AssetPath(None, ())
    owner, *names = parts
    if owner != COMMON and not re.fullmatch(USERNAME_PATTERN, owner):
        # Not an account's name: answered like an owner that does not exist.
        return AssetPath(owner, tuple(names))
    if names and names[0] == "digital twins":
        names[0] = Category.DIGITAL_TWINS
    return AssetPath(owner, tuple(names))


def _check_name(name: str) -> None:
    shown = name if len(name) <= 60 else name[:60] + "…"
    if name in (".", ".."):
        raise PathRefused(f"A path cannot go through {name!r}.", "Give the path from the owner on: OWNER/CATEGORY/…")
    if "\0" in name:
        raise PathRefused("A name cannot hold a NUL character.", "Leave it out.")
    if len(name.encode()) > LONGEST_NAME_BYTES:
        raise PathRefused(
            f"The name {shown!r} is {len(name.encode())} bytes long.", f"At most {LONGEST_NAME_BYTES} are possible."
        )
