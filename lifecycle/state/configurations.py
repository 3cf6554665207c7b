"""What of a twin's folder is its configuration: text, links, and all programs in lifecycle/."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from lifecycle.state.capture import Opener
from lifecycle.state.manifests import Entry
from lifecycle.state.trees import Kind, Picture, Seen, look, skip_rebuildable

LARGEST_TEXT_BYTES: Final = 4 << 20
PROBED_BYTES: Final = 8192


def look_at_configuration(folder: Path) -> Picture:
    """Take the picture of what is configuration: text, links, and everything in lifecycle/."""
    picture = look(folder, skip=_skip)
    kept: dict[str, Seen] = {}
    with Opener(picture.folder) as opener:
        for path, seen in picture.seen.items():
            if seen.kind is Kind.LINK or seen.kind is Kind.UNREADABLE:
                kept[path] = seen
            elif seen.kind is Kind.FILE:
                why = None if path.startswith("lifecycle/") else _why_no_text(path, seen, opener)
                if why is None:
                    kept[path] = seen
                else:
                    picture.skipped[path] = why
    picture.seen = kept
    return picture


def _skip(name: str, path: str, descriptor: int) -> str | None:
    return "the history of git" if name == ".git" else skip_rebuildable(name, path, descriptor)


def _why_no_text(path: str, seen: Seen, opener: Opener) -> str | None:
    if seen.size > LARGEST_TEXT_BYTES:
        return "too large for a configuration"
    try:
        descriptor = opener.open(path)
        try:
            probe = os.read(descriptor, PROBED_BYTES) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b"\0"
        finally:
            os.close(descriptor)
    except OSError:
        return None  # keeping it says why it cannot be read
    return "no text" if b"\0" in probe else None


def read_configuration(folder: Path) -> dict[str, tuple[Entry, bytes]]:
    """Read the present configuration: entries and contents."""
    found: dict[str, tuple[Entry, bytes]] = {}
    picture = look_at_configuration(folder)
    with Opener(picture.folder) as opener:
        for path, seen in picture.seen.items():
            content = (seen.link or "").encode(errors="surrogateescape")
            if seen.kind is Kind.FILE:
                content = _read_present(path, opener)
            found[path] = (Entry(seen.kind, seen.size, seen.mode, link=seen.link), content)
    return found


def _read_present(path: str, opener: Opener) -> bytes:
    try:
        with os.fdopen(opener.open(path), "rb") as stream:
            return stream.read(64 * LARGEST_TEXT_BYTES)
    except OSError:
        return b""
