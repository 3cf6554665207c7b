"""Find things in a commit and describe them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from libms.access import not_found
from libms.errors import NotAFile, NotAFolder
from libms.git.mirror import Mirror
from libms.git.trees import EMPTY_TREE, FOLDER, KEEP, Item, Tree, as_bytes
from libms.models import About, Entry, Found, Listing
from libms.paths import AssetPath
from twinhub.names import COMMON, Category


@dataclass(frozen=True)
class View:
    """One owner's assets at one commit."""

    mirror: Mirror
    commit: str | None
    latest: bool
    """Whether it is the head of the branch, whose files' times are known one by one."""

    def item(self, path: AssetPath) -> Item:
        """Give what is at a path; raises AssetNotFound, NotAFolder. Links lead nowhere."""
        item = Item(FOLDER, self.mirror.tree(self.commit))
        for depth, name in enumerate(path.names):
            if not item.is_folder:
                raise NotAFolder(f"ENOTDIR: not a directory, '{path}'", "") if item.is_file else not_found(path)
            found = self.mirror.objects.tree(item.id).items.get(as_bytes(name)) if name != KEEP.decode() else None
            if found is None and depth == 0 and name in set(Category):
                found = Item(FOLDER, EMPTY_TREE)
            if found is None:
                raise not_found(path)
            item = found
        return item

    def folder(self, path: AssetPath) -> Tree:
        """Open a folder; raises AssetNotFound, NotAFolder."""
        item = self.item(path)
        if not item.is_folder:
            raise NotAFolder(f"ENOTDIR: not a directory, '{path}'", "") if item.is_file else not_found(path)
        tree = self.mirror.objects.tree(item.id)
        return tree if path.names else self._with_layout(tree)

    def _with_layout(self, tree: Tree) -> Tree:
        """Add the categories that nobody has put anything into, and hide the place of `common`."""
        missing = {name.encode(): Item(FOLDER, EMPTY_TREE) for name in Category if name.encode() not in tree.items}
        items = {**missing, **tree.items}
        if self.mirror.owner != COMMON:
            items.pop(COMMON.encode(), None)
        return Tree(tree.id, items)

    def listing(self, path: AssetPath) -> Listing:
        """Name what is in a folder."""
        return self.folder(path).listing

    def entries(self, path: AssetPath, names: list[str]) -> list[Entry]:
        """Describe some names of a folder."""
        tree = self.folder(path)
        found = [(text, *one) for text in names if (one := tree.find_shown(text)) is not None]
        sizes = self._sizes([item for _, _, item in found])
        times = self._times()
        return [
            Entry(text, item.type, size, self._time(times, (*map(as_bytes, path.names), name)))
            for (text, name, item), size in zip(found, sizes, strict=True)
        ]

    def about(self, path: AssetPath) -> About:
        """Describe one file or folder; raises AssetNotFound."""
        item = self.item(path)
        if not (item.is_file or item.is_folder):
            raise not_found(path)
        time = self._time(self._times(), tuple(map(as_bytes, path.names)))
        return About(item.type, self._sizes([item])[0], time, etag(item), item.executable)

    def file(self, path: AssetPath) -> tuple[Item, int]:
        """Find an ordinary file and its size; raises AssetNotFound, NotAFile."""
        item = self.item(path)
        if not item.is_file:
            kind = "a folder" if item.is_folder else "no ordinary file"
            raise NotAFile(f"Error reading file '{path}': it is {kind}.", "List it, or name a file.")
        return item, self._sizes([item])[0]

    def walk(self, path: AssetPath) -> Iterator[Found]:
        """Go through all that is below a folder."""
        times = self._times()
        above = tuple(map(as_bytes, path.names))
        waiting = self._below(self.folder(path), "", above, times)
        while waiting:
            found, names, item = waiting.pop()
            yield found
            if item.is_folder:
                waiting += self._below(self.mirror.objects.tree(item.id), f"{found.path}/", names, times)

    def _below(
        self, tree: Tree, prefix: str, above: tuple[bytes, ...], times: Mapping[bytes, float]
    ) -> list[tuple[Found, tuple[bytes, ...], Item]]:
        """Describe what is in a folder, last name first. A name that no path can say is left out, as links are."""
        listing = tree.listing
        names = sorted((as_bytes(name) for name in (*listing.trees, *listing.blobs)), reverse=True)
        shown = [(name, item) for name in names if (item := tree.items.get(name)) and (item.is_file or item.is_folder)]
        sizes = self._sizes([item for _, item in shown])
        found = []
        for (name, item), size in zip(shown, sizes, strict=True):
            time = self._time(times, (*above, name))
            found.append((Found(prefix + name.decode(), item.type, size, time, item.executable), (*above, name), item))
        return found

    def size(self, path: AssetPath) -> int:
        """Give the bytes of a file, or of all files in a folder."""
        item = self.item(path)
        return sum(found.size for found in self.walk(path)) if item.is_folder else self._sizes([item])[0]

    def _sizes(self, items: list[Item]) -> list[int]:
        headers = iter(self.mirror.objects.headers([item.id for item in items if item.git_type == b"blob"]))
        found = (next(headers) if item.git_type == b"blob" else None for item in items)
        return [header.size if header else 0 for header in found]

    def _times(self) -> Mapping[bytes, float]:
        return self.mirror.times.at(self.commit) if self.latest and self.commit else {}

    def _time(self, times: Mapping[bytes, float], names: tuple[bytes, ...]) -> float:
        known = times.get(b"/".join(names))
        if known is not None:
            return known
        return self.mirror.objects.commit(self.commit)[1] if self.commit else 0.0


def etag(item: Item) -> str:
    """Give the tag of a file's content: git's own name for it."""
    return f'"{item.id}"'
