"""Hold the store to its limit: the oldest runs' contents go first; snapshots and versions stay."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lifecycle.places import Places
from lifecycle.state.checksums import forget_old
from lifecycle.state.errors import ContentMissing
from lifecycle.state.manifests import Manifest, read_manifest
from lifecycle.state.store import store_of

CHECKSUM: Final = re.compile(rb"\b[0-9a-f]{64}\b")
REMOVED: Final = ".removed"
"""Snapshots that were removed lie here; they can be brought back until the room is needed."""

TARGET_SHARE: Final = 0.7
"""How full the store is after room was made, so that not every run has to make some."""


def make_room(places: Places, *, needed_bytes: int = 0) -> int | None:
    """Remove what nothing names and, while too much is left, the contents of the oldest runs.

    Gives the bytes freed; None while somebody writes, when nothing was done.
    """
    store = store_of(places)
    forget_old(store)
    goal_bytes = min(int(store.limit_bytes * TARGET_SHARE), store.limit_bytes - needed_bytes)
    return store.sweep(lambda: _worth_keeping(places, goal_bytes))


def _worth_keeping(places: Places, goal_bytes: int) -> set[str]:
    sizes = pinned_sizes(places)
    total = sum(sizes.values())
    for manifest in [*_readable([*places.snapshots.glob(f"*/{REMOVED}/*.json")]), *_newest_runs(places)]:
        fresh = {sha: size for sha, size in _sizes(manifest).items() if sha not in sizes}
        total += sum(fresh.values())
        if total > goal_bytes:
            break
        sizes |= fresh
    return set(sizes)


def pinned_sizes(places: Places) -> dict[str, int]:
    """Give what snapshots and versions need, which is never removed: all that looks like a checksum in one.

    Raises OSError where one cannot be read: then nothing may be removed.
    """
    store = store_of(places)
    files = [file for folder in (places.snapshots, places.versions) for file in folder.glob("*/*.json")]
    named = {sha.decode() for file in files for sha in CHECKSUM.findall(file.read_bytes())}
    return {sha: store.path(sha).stat().st_size for sha in named if store.path(sha).exists()}


def _newest_runs(places: Places) -> Iterator[Manifest]:
    if not places.runs.is_dir():
        return
    folders = sorted((entry for entry in places.runs.iterdir() if entry.is_dir()), reverse=True)
    for folder in folders:
        yield from _readable([folder / "inputs.json", folder / "outputs.json"])


def _readable(files: list[Path]) -> Iterator[Manifest]:
    for file in files:
        try:
            yield read_manifest(file)
        except (FileNotFoundError, ContentMissing):
            continue


def _sizes(manifest: Manifest) -> dict[str, int]:
    sizes = {entry.sha256: entry.size for entry in manifest.files.values() if entry.sha256 and entry.stored}
    packages = manifest.facts.get("environment", {}).get("packages")
    return sizes | ({packages: 4096} if isinstance(packages, str) else {})
