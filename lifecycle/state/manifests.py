"""Manifests: which files there were, with what content."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from lifecycle.state.errors import ContentMissing
from lifecycle.state.store import Store
from lifecycle.state.trees import Kind, Seen

FORMAT: Final = 1
MOST_MODE: Final = 0o7777


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of a manifest."""

    kind: Kind
    size: int = 0
    mode: int = 0
    mtime_ns: int = 0
    sha256: str | None = None
    stored: bool = False
    """Whether the content is kept; else it is known by its checksum only."""
    link: str | None = None
    problem: str | None = None
    """Why the checksum is missing, or may not be that of the moment."""
    change: str | None = None
    """Among outputs: new or changed."""

    def as_json(self) -> dict[str, Any]:
        """Give what is not empty, and what a file always has."""
        values = {name: getattr(self, name) for name in Entry.__slots__}
        always = ("kind", "size", "mode", "sha256", "stored") if self.kind is Kind.FILE else ("kind", "mode")
        return {name: value for name, value in values.items() if value or name in always}


@dataclass
class Manifest:
    """The content of some folders at one time."""

    files: dict[str, Entry] = field(default_factory=dict)
    """By path below the workspace, folders and links among them."""
    skipped: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    """What else belongs to it: workspace, time, environment…"""

    def as_json(self) -> dict[str, Any]:
        """Give what is written and what pages see."""
        return {
            "format": FORMAT,
            **self.facts,
            "files": {path: entry.as_json() for path, entry in self.files.items()},
            "skipped": self.skipped,
            "notes": self.notes,
        }

    def contents(self) -> set[str]:
        """Give the checksums of all contents that it names."""
        return {entry.sha256 for entry in self.files.values() if entry.sha256}

    @property
    def size_bytes(self) -> int:
        """The sum of all files' sizes."""
        return sum(entry.size for entry in self.files.values())

    def below(self, folder: str) -> dict[str, Entry]:
        """Give the entries inside a folder, by their path below it."""
        prefix = folder.rstrip("/") + "/"
        return {path[len(prefix) :]: entry for path, entry in self.files.items() if path.startswith(prefix)}


def entry_of(seen: Seen, **more: Any) -> Entry:
    """Make an entry of what was seen."""
    problem = more.pop("problem", None) or seen.problem
    return Entry(seen.kind, seen.size, seen.mode, seen.mtime_ns, link=seen.link, problem=problem, **more)


def write_manifest(file: Path, manifest: Manifest, *, durable: bool = True) -> None:
    """Replace a manifest whole."""
    write_json(file, manifest.as_json(), durable=durable)


def write_json(file: Path, content: Any, *, indent: int | None = None, durable: bool = True) -> None:
    """Replace a file whole; a durable one is either the old or the new one also after a power cut."""
    part = file.with_name(f".{file.name}.{os.urandom(4).hex()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            json.dump(content, stream, indent=indent)
            stream.flush()
            if durable:
                os.fsync(descriptor)
        part.rename(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def read_manifest(file: Path, store: Store | None = None) -> Manifest:
    """Read a manifest; with a store, `stored` says what is still kept now.

    Raises FileNotFoundError, and ContentMissing for one that is damaged.
    """
    try:
        content = json.loads(file.read_bytes())
        files = {path: _entry_from(about) for path, about in content.pop("files").items()}
        skipped = {path: str(why) for path, why in content.pop("skipped").items()}
        manifest = Manifest(files, skipped, [*map(str, content.pop("notes"))], content)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ContentMissing(f"The record {file} is damaged.", "Remove it.") from error
    if store is not None:
        manifest.files = {
            path: replace(entry, stored=store.has(entry.sha256, entry.size)) if entry.sha256 else entry
            for path, entry in manifest.files.items()
        }
    return manifest


def _entry_from(about: dict[str, Any]) -> Entry:
    """Read an entry, believing nothing: records are files that can be edited."""
    known = {name: value for name, value in about.items() if name in Entry.__slots__}
    numbers = [known.get(name, 0) for name in ("size", "mode", "mtime_ns")]
    words = [known.get(name) for name in ("sha256", "link", "problem", "change")]
    if not all(type(number) is int for number in numbers) or not 0 <= known.get("mode", 0) <= MOST_MODE:
        raise TypeError(about)
    if not all(word is None or isinstance(word, str) for word in words):
        raise TypeError(about)
    return Entry(**{**known, "kind": Kind(about["kind"]), "stored": bool(about.get("stored"))})
