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
    def category(self) -> str:
        """The first name of its path."""
        return self.path.split(b"/", 1)[0].decode()

    @property
    def name(self) -> bytes:
        """The last name of its path."""
        return self.path.rpartition(b"/")[2]

    @property
    def searched(self) -> bool:
        """Whether its files are found by name; of all others only the bytes count.

        Left out are what lies outside the five categories, hidden folders such
        as `.git`, and names that are not UTF-8, which no address can hold.
        """
        # One look at the whole path instead of one at each name: paths may have thousands of them.
        in_category = self.path.split(b"/", 1)[0] in CATEGORIES
        return in_category and b"/." not in self.path and not is_hidden(self.path)

    @property
    def may_have_card(self) -> bool:
        """Whether it is an asset, or becomes one by a card: folders directly in a category, and deeper ones."""
        return b"/" in self.path and self.searched

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
