"""Lay out what a run had, in a tree of its own, so that it can run again without touching the workspace."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from lifecycle.places import Places
from lifecycle.state.batches import CHUNK_BYTES
from lifecycle.state.capture import CHANGED
from lifecycle.state.errors import CannotReplay, ContentMissing, TooLarge
from lifecycle.state.finding import checksum_of, find_content
from lifecycle.state.inputs import look_at
from lifecycle.state.layout import lay_out
from lifecycle.state.manifests import Entry, Manifest
from lifecycle.state.trees import Kind
from lifecycle.state.words import shown

SHOWN: Final = 5
PROBED_BYTES: Final = 4 << 20
PROSE: Final = frozenset({".md", ".rst", ".html", ".htm", ".txt", ".svg", ".csv", ".tsv"})
"""Files that name paths for people, or hold data; programs do not find their files by them."""

Contents = Mapping[str, Path]
"""A file with the right content, by path in the manifest."""


def find_contents(places: Places, manifest: Manifest, *, reads_outputs: bool) -> tuple[dict[str, Path], list[str]]:
    """Find every recorded content; give them, and notes on what is not known exactly.

    Raises CannotReplay naming the inputs whose content is nowhere any more. Outputs of earlier
    runs may be missing where the phase makes outputs rather than reads them.
    """
    found: dict[str, Path] = {}
    missing: list[str] = []
    notes: list[str] = []
    earlier = f"{manifest.facts.get('outputs', '')}/"
    for path, entry in manifest.files.items():
        if entry.kind in (Kind.FOLDER, Kind.LINK):
            continue
        uncertain = entry.sha256 is None or entry.problem == CHANGED
        content = find_content(places, manifest, path) if entry.kind is Kind.FILE else None
        if path.startswith(earlier) and uncertain:
            notes.append(f"{shown(path)} was there and is left out: {entry.problem}")
        elif content is None and path.startswith(earlier) and not reads_outputs:
            notes.append(f"{shown(path)} of an earlier run is not kept any more and is left out")
        elif content is not None:
            found[path] = content
            if uncertain:
                notes.append(f"{shown(path)} changed while it was recorded; this is what was read")
        elif entry.kind is Kind.SPECIAL:
            notes.append(f"{shown(path)} is left out: {entry.problem}")
        else:
            missing.append(path)
    if missing:
        raise _missing(missing)
    return found, notes


def names_its_place(places: Places, manifest: Manifest, contents: Contents) -> str | None:
    """Give an input that names the workspace by its absolute path; its program could not run elsewhere."""
    workspaces = {str(places.workspace), os.path.realpath(places.workspace), manifest.facts.get("workspace", "")} - {""}
    named = re.compile(
        b"|".join(rb"(?<![\w.-])" + re.escape(os.fsencode(each)) + rb"(?![\w.-])" for each in workspaces)
    )
    earlier = f"{manifest.facts.get('outputs', '')}/"
    for path, entry in manifest.files.items():
        if path.startswith(earlier):
            continue
        if entry.kind is Kind.LINK and any((entry.link or "").startswith(each) for each in workspaces):
            return path
        if path in contents and Path(path).suffix.lower() not in PROSE and _names(contents[path], named):
            return path
    return None


def build_tree(places: Places, manifest: Manifest, contents: Contents, workspace: Path) -> None:
    """Lay all recorded files out in a new workspace and link the environments, which are not recorded."""
    _lay_out(manifest.files, contents, workspace)
    for path in manifest.skipped:
        original = Path(manifest.facts.get("workspace", places.workspace), path)
        if (original / "pyvenv.cfg").is_file():
            (workspace / path).parent.mkdir(parents=True, exist_ok=True)
            (workspace / path).symlink_to(original)


def build_outputs(manifest: Manifest, contents: Contents, folder: Path) -> None:
    """Lay the outputs out as they were before the run."""
    outputs = str(manifest.facts.get("outputs", ""))
    prefix = f"{outputs}/"
    below = {path.removeprefix(prefix): file for path, file in contents.items() if path.startswith(prefix)}
    _lay_out(manifest.below(outputs), below, folder)
    folder.chmod(0o755)


def _lay_out(files: Mapping[str, Entry], contents: Contents, folder: Path) -> None:
    plain = (Kind.FOLDER, Kind.LINK)
    entries = {path: entry for path, entry in files.items() if path in contents or entry.kind in plain}
    try:
        folder.mkdir(parents=True, mode=0o700)
        lay_out(entries, folder, lambda path, entry: _read_checked(path, entry, contents[path]))
    except OSError as error:
        raise TooLarge(f"What the run had cannot be laid out: {error.strerror}.", "Make room on the disk.") from error


def refuse_changed_inputs(places: Places, manifest: Manifest) -> None:
    """Raise CannotReplay, naming what differs, when an input is not what it was."""
    changed: list[str] = []
    for root in manifest.facts.get("roots", []):
        if root == manifest.facts.get("outputs"):
            continue
        now = look_at(places.workspace / root)
        folder = root.rpartition("/")[0] if now.alone else root
        was = {path: entry for path, entry in manifest.below(folder).items() if not now.alone or path in now.seen}
        changed += [f"{folder}/{path} (new)" for path in now.seen if path not in was]
        changed += [f"{folder}/{path}" for path, entry in was.items() if not _is_as_it_was(places, folder, path, entry)]
    if changed:
        raise CannotReplay(
            f"A program names {places.workspace} itself, so the run can be repeated only in place, and these inputs are "
            f"not what they were: {_list(changed)}.",
            "Bring them back (twin versions, twin restore), or let the program use TWIN_WORKSPACE instead.",
        )


def _is_as_it_was(places: Places, folder: str, path: str, entry: Entry) -> bool:
    place = places.workspace / folder / path
    try:
        if entry.kind is Kind.LINK:
            return str(place.readlink()) == entry.link
        mode = stat.S_IMODE(place.lstat().st_mode)
    except OSError:
        return False
    same_content = entry.kind is not Kind.FILE or checksum_of(place, entry.size) == entry.sha256
    return mode == entry.mode and same_content


def _list(paths: list[str]) -> str:
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return ", ".join(map(shown, paths[:SHOWN])) + more


def _missing(paths: list[str]) -> CannotReplay:
    return CannotReplay(
        f"These inputs are not kept and are not what they were: {_list(paths)}.",
        "Put them back as they were, from a snapshot, a version or their origin, and try again.",
    )


def _names(file: Path, named: re.Pattern[bytes]) -> bool:
    with file.open("rb") as stream:
        text = stream.read(PROBED_BYTES)
    return b"\0" not in text[:8192] and named.search(text) is not None


def _read_checked(path: str, entry: Entry, file: Path) -> Iterator[bytes]:
    digest = hashlib.sha256()
    with file.open("rb", buffering=0) as stream:
        while piece := stream.read(CHUNK_BYTES):
            digest.update(piece)
            yield piece
    if digest.hexdigest() != entry.sha256:
        raise ContentMissing(f"{shown(path)} changed while it was copied.", "Try again.")
