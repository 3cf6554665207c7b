"""Find the content of a recorded file: in the store, or where it was, when it still is the same."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from lifecycle.places import Places
from lifecycle.state.batches import CHUNK_BYTES
from lifecycle.state.capture import OPEN_FILE
from lifecycle.state.manifests import Manifest
from lifecycle.state.store import store_of


def find_content(places: Places, manifest: Manifest, path: str) -> Path | None:
    """Give a file with the content of a path of a manifest; None where there is none any more."""
    entry = manifest.files[path]
    if entry.sha256 is None:
        return None
    store = store_of(places)
    if store.has(entry.sha256, entry.size):
        return store.path(entry.sha256)
    present = Path(manifest.facts.get("workspace", places.workspace), path)
    return present if checksum_of(present, entry.size) == entry.sha256 else None


def checksum_of(file: Path, size: int) -> str | None:
    """Read a file of a given size; None for another, one that is none, and one that changes."""
    try:
        descriptor = os.open(file, OPEN_FILE)
    except OSError:
        return None
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode) or before.st_size != size:
            return None
        digest = hashlib.sha256()
        while piece := os.read(descriptor, CHUNK_BYTES):
            digest.update(piece)
        after = os.fstat(descriptor)
        same = (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size)
        return digest.hexdigest() if same else None
    except OSError:
        return None
    finally:
        os.close(descriptor)
