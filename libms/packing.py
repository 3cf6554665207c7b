"""A folder as a zip, made while it is sent."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Final

from zipstream import ZIP_DEFLATED, ZIP_STORED, ZipStream

from libms.backend import Backend
from libms.errors import AssetNotFound, NotAFile, NotYours
from libms.models import EntryType, Found
from libms.paths import AssetPath

READ_BYTES: Final = 256 * 1024
LEFT_OUT: Final = "NOT-IN-THIS-ARCHIVE.txt"
PACKED: Final = (".zip", ".fmu", ".gz", ".xz", ".bz2", ".7z", ".png", ".jpg", ".jpeg", ".webp", ".mp4", ".onnx")
"""Endings of what does not get smaller, and would only cost time."""


def zip_folder(backend: Backend, path: AssetPath, ref: str | None, found: Sequence[Found]) -> Iterator[bytes]:
    """Yield a zip of what a walk of a folder has found; what is gone by then is left out."""
    left_out: list[str] = []
    archive = ZipStream(compress_type=ZIP_DEFLATED, compress_level=1, sized=False)
    for one in found:
        name = _safe(f"{path.name}/{one.path}")
        if one.type is EntryType.TREE:
            archive.mkdir(name)
            continue
        content = _content(backend, path / one.path, ref)
        first = next(content, None)
        if first is None:
            left_out.append(one.path)
            continue
        store = name.lower().endswith(PACKED)
        archive.add(_chain(first, content), name, compress_type=ZIP_STORED if store else ZIP_DEFLATED)
        yield from archive.all_files()
    if left_out:
        words = "Gone meanwhile, or readable by another account only:\n" + "\n".join(left_out) + "\n"
        archive.add(words.encode("utf-8", "replace"), f"{_safe(path.name)}/{LEFT_OUT}")
    yield from archive.finalize()


def _safe(name: str) -> str:
    """Give a name that means the same wherever it is unpacked: Windows takes a backslash for a slash."""
    return "".join("_" if character == "\\" or ord(character) < 32 else character for character in name)


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _content(backend: Backend, path: AssetPath, ref: str | None) -> Iterator[bytes]:
    """Yield a file's bytes, beginning with an empty block once it is open."""
    try:
        with backend.file(path, ref) as descriptor:
            yield b""
            offset = 0
            while block := os.pread(descriptor, READ_BYTES, offset):
                offset += len(block)
                yield block
    except (AssetNotFound, NotAFile, NotYours):
        return
