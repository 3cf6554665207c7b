"""Go back to a kept configuration, file by file; a note lets whoever comes after a kill finish it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from lifecycle.places import GOING_BACK, Places
from lifecycle.state.errors import CannotKeep, ContentMissing, VersionNotFound
from lifecycle.state.layout import check_paths, from_store, write_file
from lifecycle.state.manifests import Entry, Manifest, read_manifest
from lifecycle.state.store import store_of
from lifecycle.state.trees import Kind
from lifecycle.state.words import shown


def configuration_prefix(places: Places, twin: str) -> str:
    """Give the twin's folder as manifests name it."""
    workspace = os.path.realpath(places.workspace)
    return os.path.relpath(os.path.realpath(places.twins / twin), workspace)


def version_numbers(places: Places, twin: str) -> list[int]:
    """Give the numbers of a twin's versions, in any order."""
    files = (places.versions / twin).glob("*.json")
    return [int(file.stem) for file in files if file.stem.isascii() and file.stem.isdigit()]


def read_version(places: Places, twin: str, number: int) -> Manifest:
    """Read what a version holds; raises VersionNotFound, ContentMissing."""
    try:
        return read_manifest(places.versions / twin / f"{number}.json", store_of(places))
    except FileNotFoundError as error:
        known = ", ".join(map(str, sorted(version_numbers(places, twin), reverse=True)[:10])) or "none yet"
        raise VersionNotFound(
            f"{twin!r} has no version {number}; there are: {known}.", f"'twin evolve {twin}' makes one."
        ) from error


def bring_about(places: Places, twin: str) -> None:
    """Do what the note says, from wherever it was left. Raises CannotKeep, ContentMissing."""
    journal, folder = places.versions / twin / GOING_BACK, places.twins / twin
    try:
        note = _read_note(journal)
    except FileNotFoundError:
        return
    prefix = configuration_prefix(places, twin)
    wanted = read_version(places, twin, note["back_to"]).below(prefix)
    check_paths(wanted)
    try:
        _require_contents(wanted, places)
    except ContentMissing:
        journal.unlink()  # it will not come back by itself, so nobody shall wait for it
        raise
    try:
        for path, entry in read_version(places, twin, note["from"]).below(prefix).items():
            # What is to be a folder, a link or a file of another kind has to make room first.
            if path not in wanted or wanted[path].kind is not entry.kind:
                (folder / path).unlink(missing_ok=True)
                _remove_empty(folder / path, folder)
        for path, entry in wanted.items():
            _write(folder / path, path, entry, places)
    except OSError as error:
        # The note stays: the next command or run of this twin goes on from here.
        raise CannotKeep(
            f"Not all of version {note['back_to']} could be brought back: {error.strerror}: {shown(str(error.filename))}.",
            f"Make room or put it right, then run any 'twin' command on {twin!r}: it goes on by itself.",
        ) from error
    journal.unlink()


def _require_contents(wanted: Mapping[str, Entry], places: Places) -> None:
    """Read everything through before anything is written; raises ContentMissing."""
    read = from_store(store_of(places))
    for path, entry in wanted.items():
        if entry.kind is Kind.FILE:
            for _ in read(path, entry):
                pass


def _read_note(journal: Path) -> dict[str, int]:
    try:
        note = json.loads(journal.read_bytes())
        return {name: int(note[name]) for name in ("back_to", "from")}
    except (ValueError, KeyError, TypeError) as error:
        raise ContentMissing(f"The note {journal} is damaged.", "Remove it.") from error


def _write(place: Path, path: str, entry: Entry, places: Places) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    # Always the same name, so that going on after a kill clears it away.
    part = place.with_name(f".{hashlib.sha256(os.fsencode(place.name)).hexdigest()[:16]}.part")
    part.unlink(missing_ok=True)
    try:
        if entry.kind is Kind.LINK:
            part.symlink_to(entry.link or "")
        elif entry.kind is Kind.FILE:
            write_file(part, entry, from_store(store_of(places))(path, entry))
        else:
            return
        part.rename(place)
    finally:
        part.unlink(missing_ok=True)


def _remove_empty(place: Path, folder: Path) -> None:
    for parent in place.parents:
        if parent == folder or not _try_rmdir(parent):
            return


def _try_rmdir(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        folder.rmdir()
        return True
    return False
