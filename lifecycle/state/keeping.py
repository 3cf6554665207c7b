"""Keep trees for good: whole, and refused with sizes before anything is written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lifecycle.places import Places
from lifecycle.state.batches import sync
from lifecycle.state.capture import CHANGED, EVERYTHING, Capture
from lifecycle.state.checksums import Checksums
from lifecycle.state.errors import CannotKeep, TooLarge
from lifecycle.state.inputs import name_in_workspace
from lifecycle.state.manifests import Entry, Manifest, write_manifest
from lifecycle.state.retention import make_room, pinned_sizes
from lifecycle.state.store import LIMIT_VARIABLE, Store, store_of
from lifecycle.state.trees import Kind, Picture, look
from lifecycle.state.words import in_words, shown

SHOWN: Final = 5


def keep(places: Places, pictures: Sequence[Picture], manifest: Manifest, file: Path) -> None:
    """Put the pictures' files into the store, and write the manifest that names them.

    Raises TooLarge before anything is written, and CannotKeep for what cannot be read.
    """
    store = store_of(places)
    _refuse_incomplete(pictures)
    _ensure_room(places, store, pictures)
    with store.batch(durable=True) as batch:
        capture = Capture(batch, EVERYTHING)
        for picture in pictures:
            prefix = name_in_workspace(places, picture.folder)
            entries = _entries(capture, store, picture)
            manifest.files |= {f"{prefix}/{path}": entry for path, entry in entries.items()}
            manifest.skipped |= {f"{prefix}/{path}": why for path, why in picture.skipped.items()}
        _refuse_missing(manifest, batch.problem)
        manifest.notes += _notes(manifest)
        batch.flush()
        write_manifest(file, manifest)
        sync(file.parent)


def _entries(capture: Capture, store: Store, picture: Picture) -> dict[str, Entry]:
    checksums = Checksums(store, picture.folder)
    entries = capture.entries(picture, checksums)
    again = {path for path, entry in entries.items() if entry.problem == CHANGED}
    if again:
        now = look(Path(picture.folder), skip=lambda *_: None).seen
        later = Picture(picture.folder, {path: now[path] for path in again if path in now})
        entries = {path: entry for path, entry in entries.items() if path not in again}
        entries |= capture.entries(later, checksums)
    checksums.write()
    return dict(sorted(entries.items()))


def _refuse_incomplete(pictures: Sequence[Picture]) -> None:
    for picture in pictures:
        if picture.cut is not None:
            raise CannotKeep(
                f"{picture.folder} cannot be kept whole: {picture.cut}.", "Put what belongs together into an archive."
            )
        unreadable = [path for path, seen in picture.seen.items() if seen.kind is Kind.UNREADABLE]
        if unreadable:
            raise _unreadable([f"{picture.folder}/{path}" for path in unreadable])


def _refuse_missing(manifest: Manifest, problem: str | None) -> None:
    files = {path: entry for path, entry in manifest.files.items() if entry.kind is Kind.FILE}
    unreadable = [f"{path} ({entry.problem})" for path, entry in files.items() if entry.sha256 is None]
    if unreadable:
        raise _unreadable(unreadable)
    if any(not entry.stored for entry in files.values()):
        raise TooLarge(f"Nothing was kept: {problem or 'the store is full'}.", "Make room on the disk, and try again.")


def _unreadable(paths: Sequence[str]) -> CannotKeep:
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return CannotKeep(
        f"Nothing was kept, as these cannot be read: {', '.join(map(shown, paths[:SHOWN]))}{more}.",
        "Remove them, or allow reading: chmod u+r",
    )


def _notes(manifest: Manifest) -> list[str]:
    special = [
        f"{shown(path)} is {entry.problem}" for path, entry in manifest.files.items() if entry.kind is Kind.SPECIAL
    ]
    torn = [
        f"{shown(path)} changed while it was kept" for path, entry in manifest.files.items() if entry.problem == CHANGED
    ]
    return [*special, *torn]


def _ensure_room(places: Places, store: Store, pictures: Sequence[Picture]) -> None:
    """Make room in the store; raises TooLarge where even that would not do."""
    known = pinned_sizes(places)
    sizes: dict[str, int] = {}
    for picture in pictures:
        checksums = Checksums(store, picture.folder)
        for path, seen in picture.seen.items():
            if seen.kind is Kind.FILE and checksums.find(path, seen) not in known:
                sizes[os.path.join(name_in_workspace(places, picture.folder), path)] = seen.size  # noqa: PTH118
    needed, pinned = sum(sizes.values()), sum(known.values())
    if pinned + needed > store.limit_bytes:
        raise _too_large(sizes, needed, pinned, store.limit_bytes)
    if store.size_bytes() + needed > store.limit_bytes:
        make_room(places, needed_bytes=needed)


def _too_large(sizes: dict[str, int], needed: int, pinned: int, limit: int) -> TooLarge:
    largest = sorted(sizes, key=lambda path: sizes[path], reverse=True)[:SHOWN]
    return TooLarge(
        f"There are {in_words(needed)} to keep, and room for {in_words(max(0, limit - pinned))}: the limit is "
        f"{in_words(limit)}, and {in_words(pinned)} of it belong to snapshots and versions. Largest: "
        f"{', '.join(f'{shown(path)} ({in_words(sizes[path])})' for path in largest)}.",
        f"Remove or move away what need not be kept, remove old snapshots (twin snapshots NAME --remove SNAPSHOT), "
        f"or raise the limit: {LIMIT_VARIABLE}={max(1, -(-(pinned + needed) * 5 // 4 // 1024**3))}",
    )
