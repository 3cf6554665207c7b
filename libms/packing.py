"""A folder as a zip, made while it is sent."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Final

from zipstream import ZIP_DEFLATED, ZipStream

from libms.beneath import open_beneath
from libms.paths import AssetPath
from libms.storage import DiskStorage

READ_BYTES: Final = 256 * 1024


def zip_folder(storage: DiskStorage, path: AssetPath) -> Iterator[bytes]:
    """Yield a zip of a folder. Links and special files are left out, so nothing from elsewhere gets in."""
    archive = ZipStream(compress_type=ZIP_DEFLATED, compress_level=1, sized=False)
    with storage.folder(path) as root:
        for name, descriptor in _walk(root, ""):
            if descriptor is None:
                archive.mkdir(f"{path.name}/{name}")
                continue
            archive.add(_content(descriptor), f"{path.name}/{name}")
            yield from archive.all_files()
        yield from archive.finalize()


def _walk(folder: int, prefix: str) -> Iterator[tuple[str, int | None]]:
    """Yield names below a folder, sorted, with a descriptor for each file and None for each folder."""
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries)
    for name in names:
        try:
            descriptor = open_beneath(folder, name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError:
            continue  # a link, a socket, or gone meanwhile
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            yield prefix + name, None
            try:
                yield from _walk(descriptor, f"{prefix}{name}/")
            finally:
                os.close(descriptor)
        elif stat.S_ISREG(mode):
            yield prefix + name, descriptor
        else:
            os.close(descriptor)


def _content(descriptor: int) -> Iterator[bytes]:
    try:
        while block := os.read(descriptor, READ_BYTES):
            yield block
    finally:
        os.close(descriptor)
