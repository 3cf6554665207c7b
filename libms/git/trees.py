"""Git's trees as values, and the names that git itself refuses in them."""

from __future__ import annotations

import re
import stat
from functools import cached_property
from typing import Final, NamedTuple

from libms.errors import PathRefused
from libms.models import EntryType, Listing
from libms.paths import AssetPath

FOLDER: Final = 0o040000
FILE: Final = 0o100644
PROGRAM: Final = 0o100755
MODULE: Final = 0o160000
KEEP: Final = b".gitkeep"
"""What stands in a folder without anything else, as git keeps no empty folders; nobody sees it."""
_ELSEWHERE: Final = frozenset({b"", b".", b"..", b".git"})
EMPTY_TREE: Final = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""Git knows this one even where nobody wrote it."""


class Item(NamedTuple):
    """One line of a tree."""

    mode: int
    id: str

    @property
    def is_folder(self) -> bool:
        return self.mode == FOLDER

    @property
    def is_file(self) -> bool:
        """Whether it is an ordinary file; links and submodules are neither this nor folders."""
        return stat.S_ISREG(self.mode)

    @property
    def executable(self) -> bool:
        return self.is_file and bool(self.mode & 0o100)

    @property
    def git_type(self) -> bytes:
        """What git calls it."""
        if self.is_folder:
            return b"tree"
        return b"commit" if stat.S_IFMT(self.mode) == MODULE else b"blob"

    @property
    def type(self) -> EntryType:
        return EntryType.TREE if self.is_folder else EntryType.BLOB


class Tree:
    """One folder of a commit."""

    def __init__(self, tree_id: str, items: dict[bytes, Item]) -> None:
        self.id = tree_id
        self.items = items

    @cached_property
    def listing(self) -> Listing:
        """The names that people see; `.gitkeep` is none of them."""
        shown = sorted((name, item.is_folder) for name, item in self.items.items() if name != KEEP)
        trees = [as_text(name) for name, is_folder in shown if is_folder]
        return Listing(trees, [as_text(name) for name, is_folder in shown if not is_folder], self.id)

    @cached_property
    def by_text(self) -> dict[str, bytes]:
        """The names on record by those that people see, where these differ."""
        return {text: name for name in self.items if not name.isascii() and (text := as_text(name)).encode() != name}

    def find_shown(self, text: str) -> tuple[bytes, Item] | None:
        """Give what a listing shows under a name."""
        name = as_bytes(text)
        if name not in self.items:
            name = self.by_text.get(text, name)
        item = self.items.get(name)
        return None if item is None or name == KEEP else (name, item)


def parse_tree(tree_id: str, data: bytes) -> Tree:
    """Read a tree as git stores it. Names that would lead elsewhere are left out: repositories are hostile too."""
    items: dict[bytes, Item] = {}
    id_bytes = len(tree_id) // 2
    at = 0
    while at < len(data):
        space = data.index(b" ", at)
        end = data.index(b"\0", space)
        mode, name = int(data[at:space], 8), data[space + 1 : end]
        at = end + 1 + id_bytes
        if name not in _ELSEWHERE and b"/" not in name:
            items[name] = Item(mode, data[end + 1 : at].hex())
    return Tree(tree_id, items)


def as_text(name: bytes) -> str:
    """Give a name that JSON can carry; bytes that are not UTF-8 become U+FFFD."""
    return name.decode("utf-8", "replace")


def as_bytes(text: str) -> bytes:
    """Give a name as git stores it."""
    return text.encode("utf-8", "surrogateescape")


_IGNORED_BY_HFS: Final = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_DOT_GIT: Final = re.compile(r"(\.git|git~1)[ .]*(:.*)?", re.IGNORECASE | re.DOTALL)


def is_reserved(name: str) -> bool:
    """Tell whether a name is none, or one that macOS or Windows takes for git's own folder."""
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        return True
    parts = _IGNORED_BY_HFS.sub("", name).split("\\")
    return any(_DOT_GIT.fullmatch(part) for part in parts)


def refuse_reserved(path: AssetPath) -> None:
    """Refuse a path that git itself would not accept; raises PathRefused."""
    for name in path.names:
        if is_reserved(name):
            raise PathRefused(f"'{path}' cannot be stored: {name!r} means something to git.", "Choose another name.")
