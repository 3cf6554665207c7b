"""Are the assets there, readable, and of the version that the descriptor names."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any, Final

from lifecycle.descriptor.problems import nearest
from lifecycle.descriptor.uses import COMMON, Use, split_ending
from lifecycle.explore.files import MOST_FILES, read_ordinary, sha256, unreadable, walk
from lifecycle.explore.report import Finding, in_words, missing, ok, warning
from lifecycle.places import Places

LARGEST_RECORD_BYTES: Final = 64 * 1024 * 1024
MOST_HASHED_BYTES: Final = 512 * 1024 * 1024
"""Of one asset; beyond that its files are known by their sizes."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What the library wrote when a version was published. Its signature can be checked by the library alone."""

    path: str
    version: str
    by: str
    files: dict[str, tuple[int, str]]
    """Size and SHA-256 by path in the asset."""
    withdrawn: bool


def explore_use(places: Places, use: Use) -> Iterator[Finding]:
    """Look at one asset."""
    place = use.place(places)
    subject = place.relative_to(places.workspace).as_posix()
    if not os.path.exists(place):  # noqa: PTH110 - pathlib raises where a folder is closed
        what = "It is a link that leads nowhere." if place.is_symlink() else "It is not there."
        yield missing(subject, what, _how_to_get(places, use))
        return
    if (closed := unreadable(place)) is not None:
        yield missing(subject, f"{closed} cannot be read.", f"In a terminal: chmod -R u+rX {quote(str(place))}")
        return
    if place.is_dir() and next(walk(place), None) is None:
        yield warning(subject, "The folder is empty.", "Put the asset's files into it.")
        return
    yield from _explore_version(places, use, place, subject)


def _explore_version(places: Places, use: Use, place: Path, subject: str) -> Iterator[Finding]:
    names = subject.split("/")
    if names[0] != COMMON or len(names) < 3 or "@" not in names[2]:
        yield _unversioned(places, use, place, subject)
        return
    asset = places.workspace.joinpath(*names[:3])
    publication = read_publication(asset)
    if publication is None:
        what = "It is there, and the library has no record that this version was published."
        yield warning(subject, what, "Use a version that the Library page lists as published.")
        return
    if publication.withdrawn:
        yield warning(subject, f"Version {publication.version} was withdrawn.", "Use a later version.")
    changed = _changed(asset, publication)
    if changed is not None:
        what = f"It is not what was published as version {publication.version}: {changed}."
        yield missing(subject, what, "Ask who keeps the common assets, or use another version.")
        return
    how = "checksums" if _size(publication) <= MOST_HASHED_BYTES else "sizes (it is too large for checksums)"
    count = len(publication.files)
    files = "1 file" if count == 1 else f"{count} files"
    yield ok(subject, f"Version {publication.version}, published by {publication.by}; {files}, {how} as published.")


def _unversioned(places: Places, use: Use, place: Path, subject: str) -> Finding:
    if use.version is not None:
        return ok(subject, "It is there; your own folder of that name, which nobody keeps from changing.")
    origin = _read_json(places.workspace / use.category / ".origins" / f"{place.name}.json")
    taken = f", taken from {origin['path']}" if isinstance(origin.get("path"), str) else ""
    return ok(subject, f"It is there{taken}.")


def read_publication(asset: Path) -> Publication | None:
    """Read the record of a published version; None where there is none for this asset."""
    raw = _read_json(asset.parent / ".published" / f"{asset.name}.json")
    try:
        path = f"{COMMON}/{asset.parent.name}/{asset.name}"
        if raw["path"] != path:
            return None
        files = {str(file["path"]): (int(file["size"]), str(file["sha256"])) for file in raw["files"]}
        return Publication(path, str(raw["version"])[:40], str(raw["by"])[:80], files, bool(raw.get("withdrawn")))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _read_json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_ordinary(file, LARGEST_RECORD_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _size(publication: Publication) -> int:
    return sum(size for size, _ in publication.files.values())


def _changed(asset: Path, publication: Publication) -> str | None:
    """Say what differs from the record."""
    root = asset if asset.is_dir() else asset.parent
    there = {file.relative_to(root).as_posix(): file for file in walk(asset, MOST_FILES + 10 * len(publication.files))}
    if gone := publication.files.keys() - there.keys():
        return f"{in_words(gone, 3)} is gone" if len(gone) == 1 else f"{in_words(gone, 3)} are gone"
    if added := there.keys() - publication.files.keys():
        return f"{in_words(added, 3)} was added"
    whole = _size(publication) <= MOST_HASHED_BYTES
    for name, (size, digest) in publication.files.items():
        about = os.lstat(there[name])
        if not stat.S_ISREG(about.st_mode) or about.st_size != size or (whole and sha256(there[name]) != digest):
            return f"{name} was changed"
    return None


def _how_to_get(places: Places, use: Use) -> str:
    """Say what there is instead."""
    folder = (places.workspace / use.asset).parent
    names = (
        sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith(".")) if folder.is_dir() else []
    )
    wanted = use.asset.rpartition("/")[2]
    stem = split_ending(wanted)[0]
    versions = [name for name in names if name.startswith((f"{wanted}@", f"{stem}@"))]
    if versions:
        return f"There is {in_words(versions)}; name one of them in twin.yaml."
    close = nearest(wanted, [name for name in names if name != wanted])
    if close is not None:
        return f"Did you mean '{close}'? It is in {folder}."
    if use.path.startswith(f"{COMMON}/"):
        return "Ask who has it to publish it, or take it out of twin.yaml."
    return f"Upload or copy it to {folder}, or correct its name in twin.yaml."
