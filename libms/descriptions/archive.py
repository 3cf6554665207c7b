"""One file out of a zip that a stranger packed: nothing is unpacked to disk, and no number in it is believed."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from libms.descriptions.values import DescriptionUnreadable, read_at

LARGEST_DIRECTORY_BYTES: Final = 16 * 1024 * 1024
"""The list of all entries at a zip's end; about 200,000 entries."""


class _BeforeBeginning(OSError):
    """An offset in the archive is negative; zipfile expects what files raise."""


_MANGLED: Final = (
    _BeforeBeginning,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    IndexError,
    KeyError,
)
"""What `zipfile` raises for archives that are damaged or made to hurt."""
_METHODS: Final = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_CHUNK: Final = 64 * 1024
_ENCRYPTED: Final = 0x1


class _Readable(io.RawIOBase):
    """A descriptor as a file whose single reads are bounded; closing it leaves the descriptor open."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise _BeforeBeginning(offset)
        self._position = base + offset
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        left = max(self._size - self._position, 0)
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted > LARGEST_DIRECTORY_BYTES:
            raise DescriptionUnreadable("The zip lists too many files.", "Keep data outside of the archive.")
        data = read_at(self._descriptor, self._position, wanted)
        self._position += len(data)
        return data


@contextmanager
def open_archive(descriptor: int) -> Iterator[zipfile.ZipFile]:
    """Open a zip for `names` and `read_entry`; raises DescriptionUnreadable for one that is damaged."""
    try:
        with zipfile.ZipFile(_Readable(descriptor)) as archive:
            yield archive
    except _MANGLED as error:
        raise DescriptionUnreadable("The file is not a sound zip archive.", "Export or upload it again.") from error


def read_entry(archive: zipfile.ZipFile, name: str, largest: int) -> bytes:
    """Read one entry up to `largest` bytes, whatever size the archive states; raises DescriptionUnreadable.

    Entries that share bytes with others do no harm, as only this one is read.
    """
    entries = [entry for entry in archive.infolist() if entry.filename.removeprefix("./") == name]
    if not entries:
        raise DescriptionUnreadable(
            f"The archive holds no {name}.", "Export it again, or pack it with that file on top."
        )
    if len(entries) > 1:
        raise DescriptionUnreadable(f"The archive holds {name} twice.", "Leave only the right one in it.")
    if entries[0].flag_bits & _ENCRYPTED:
        raise DescriptionUnreadable(f"{name} is encrypted.", "Upload the archive without a password.")
    if entries[0].compress_type not in _METHODS:
        raise DescriptionUnreadable(f"{name} is packed in an unusual way.", "Pack it with 'deflate', as zip does.")
    data = bytearray()
    with archive.open(entries[0]) as source:
        while chunk := source.read(_CHUNK):
            data += chunk
            if len(data) > largest:
                raise DescriptionUnreadable(
                    f"{name} is larger than {largest // 1024**2} MB when unpacked.", "Describe fewer variables."
                )
    return bytes(data)
