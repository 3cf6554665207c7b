"""Folders of the index: which are searched, and which only count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from twinhub.names import COMMON, Category

CATEGORIES: Final = frozenset(category.value.encode() for category in Category)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder's row."""

    id: int
    owner: str
    path: bytes
    """Below the owner's folder; empty for that itself."""

    @property
    def parts(self) -> list[bytes]:
        """The names of which the path is made."""
        return self.path.split(b"/") if self.path else []

    @property
    def searched(self) -> bool:
        """Whether its files are found by name; of all others only the bytes count.

        Left out are what lies outside the five categories, hidden folders such
        as `.git`, and names that are not UTF-8, which no address can hold.
        """
        parts = self.parts
        return bool(parts) and parts[0] in CATEGORIES and not any(map(is_hidden, parts))

    @property
    def may_have_card(self) -> bool:
        """Whether it is an asset, or becomes one by a card: what is directly in a category, and deeper folders."""
        return self.searched and len(self.parts) > 1

    def below(self, name: bytes) -> bytes:
        """Give the path of something in it."""
        return self.path + b"/" + name if self.path else name

    def is_mount(self, name: bytes) -> bool:
        """Tell whether a name in it is only the place at which workspaces see `common`."""
        return not self.path and self.owner != COMMON and name == COMMON.encode()


def is_hidden(name: bytes) -> bool:
    """Tell whether a name is not to be found by searching."""
    if name.startswith(b"."):
        return True
    try:
        name.decode()
    except UnicodeDecodeError:
        return True
    return False
