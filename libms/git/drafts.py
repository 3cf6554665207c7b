"""Change a commit's tree by reading and writing only the folders on the way to the change."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

from libms.errors import NotAFolder
from libms.git.commands import Commands, GitFailed
from libms.git.objects import Objects
from libms.git.trees import FILE, FOLDER, KEEP, Item, as_bytes
from libms.paths import AssetPath


class _Folder:
    """A folder on the way to a change; one that nothing is put into is never written."""

    def __init__(self, items: dict[bytes, Item]) -> None:
        self.items = items
        self.opened: dict[bytes, _Folder] = {}
        self.touched = False

    @property
    def changed(self) -> bool:
        return self.touched or any(folder.changed for folder in self.opened.values())


class Draft:
    """What the next commit holds; for one thread. Nothing is stored before `write`."""

    def __init__(self, objects: Objects, tree_id: str, keep: Callable[[], str]) -> None:
        """Start from a tree; `keep` stores an empty file and gives its id."""
        self._objects = objects
        self._tree_id = tree_id
        self._keep = keep
        self._top = self._load(tree_id)

    def _load(self, tree_id: str) -> _Folder:
        return _Folder(dict(self._objects.tree(tree_id).items))

    def find(self, path: AssetPath) -> Item | None:
        """Give what was at a path at first; raises NotAFolder when the way there leads through a file."""
        there = self._folder_of(path).items
        name = as_bytes(path.name)
        return there.get(name) if name != KEEP else None

    def put(self, path: AssetPath, item: Item) -> None:
        """Put something at a path, in place of what may be there; raises NotAFolder."""
        folder = self._folder_of(path)
        folder.items[as_bytes(path.name)] = item
        folder.opened.pop(as_bytes(path.name), None)
        folder.touched = True

    def put_folder(self, path: AssetPath) -> None:
        """Make an empty folder; raises NotAFolder."""
        self.put(AssetPath(path.owner, (*path.names, KEEP.decode())), Item(FILE, self._keep()))

    def remove(self, path: AssetPath) -> None:
        """Take away what is at a path. A folder that held only this stays, as it would on a disk."""
        folder = self._folder_of(path)
        folder.items.pop(as_bytes(path.name), None)
        folder.opened.pop(as_bytes(path.name), None)
        folder.touched = True
        empty = not folder.items and not any(opened.changed for opened in folder.opened.values())
        if empty and not path.parent.fixed:
            folder.items[KEEP] = Item(FILE, self._keep())

    def _folder_of(self, path: AssetPath) -> _Folder:
        """Open the folder that holds a path, an empty one where there is none."""
        folder = self._top
        for depth, text in enumerate(path.names[:-1], start=1):
            name = as_bytes(text)
            following = folder.opened.get(name)
            if following is None:
                item = folder.items.get(name)
                if item is not None and not item.is_folder:
                    at = AssetPath(path.owner, path.names[:depth])
                    raise NotAFolder(f"ENOTDIR: not a directory, '{path}'", f"'{at}' is no folder.")
                following = folder.opened[name] = self._load(item.id) if item else _Folder({})
            folder = following
        return folder

    def write(self, commands: Commands) -> str:
        """Store the folders that changed; give the tree's id."""
        if not self._top.changed:
            return self._tree_id
        with_trees = _TreeWriter(commands)
        try:
            return with_trees.write(_contents(with_trees, self._top))
        finally:
            with_trees.close()


def _contents(writer: _TreeWriter, folder: _Folder) -> dict[bytes, Item]:
    """Store the folders in one that changed; give what it holds then. Git has no empty ones."""
    items = dict(folder.items)
    for name, opened in folder.opened.items():
        if opened.changed:
            inside = _contents(writer, opened)
            items.pop(name, None)
            if inside:
                items[name] = Item(FOLDER, writer.write(inside))
    return items


class _TreeWriter:
    """One `git mktree` for all folders of a draft; it sorts and checks what it stores."""

    def __init__(self, commands: Commands) -> None:
        self._process: Any = commands.start("mktree", "-z", "--batch", "--missing", stdin=subprocess.PIPE)

    def write(self, items: dict[bytes, Item]) -> str:
        """Store a folder; give its id. Raises GitFailed."""
        lines = (
            b"%06o %s %s\t%s\0" % (item.mode, item.git_type, item.id.encode("ascii"), name)
            for name, item in items.items()
        )
        try:
            self._process.stdin.write(b"".join(lines) + b"\0")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it says why, below
        written = self._process.stdout.readline().strip()
        if not written:
            raise GitFailed("mktree", -1, b"", self._process.stderr.read())
        return str(written, "ascii")

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def store_blob(commands: Commands, content: bytes) -> str:
    """Store a small file's content; give its id."""
    return str(commands.run("hash-object", "-w", "--no-filters", "--stdin", stdin=content).strip(), "ascii")
