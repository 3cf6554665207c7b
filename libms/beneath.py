"""Open paths so that the kernel itself keeps them below a folder.

`openat2` with RESOLVE_BENEATH refuses `..`, absolute paths and links that lead
out, atomically. Where the kernel has no openat2 (before Linux 5.6, or filtered
by a container engine), every component is opened by itself with O_NOFOLLOW;
then no link works at all, which is stricter and just as safe.
"""

from __future__ import annotations

import ctypes
import errno
import os
from functools import cache
from typing import Final

SYS_OPENAT2: Final = 437
SYS_RENAMEAT2: Final = 316
RESOLVE_NO_MAGICLINKS: Final = 0x02
RESOLVE_BENEATH: Final = 0x08
RENAME_NOREPLACE: Final = 1
RETRIES: Final = 128

_libc: Final = ctypes.CDLL(None, use_errno=True)


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_beneath(root: int, path: str, flags: int) -> int:
    """Open a path below a folder's descriptor; give a new descriptor. Raises OSError."""
    if not has_openat2():
        return _walk(root, path, flags)
    for _ in range(RETRIES):
        try:
            return _openat2(root, path, flags)
        except BlockingIOError:
            continue  # a rename elsewhere in the tree happened during the look-up
    raise OSError(errno.EAGAIN, "the folder is being renamed all the time")


def _openat2(root: int, path: str, flags: int) -> int:
    how = _OpenHow(flags | os.O_CLOEXEC, 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS)
    raw = os.fsencode(path)
    descriptor = _libc.syscall(SYS_OPENAT2, root, raw, ctypes.byref(how), ctypes.sizeof(how))
    if descriptor < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return int(descriptor)


@cache
def has_openat2() -> bool:
    """Tell whether the kernel offers openat2 to us."""
    root = os.open("/", os.O_PATH | os.O_DIRECTORY)
    try:
        os.close(_openat2(root, ".", os.O_PATH))
    except OSError as error:
        return error.errno not in (errno.ENOSYS, errno.EPERM)
    finally:
        os.close(root)
    return True


def _walk(root: int, path: str, flags: int) -> int:
    """Open component by component, following no link."""
    names = [name for name in path.split("/") if name and name != "."]
    if path.startswith("/") or ".." in names:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
    current = os.open(".", os.O_PATH | os.O_DIRECTORY, dir_fd=root)
    try:
        for name in names[:-1]:
            following = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=current)
            os.close(current)
            current = following
        return os.open(names[-1] if names else ".", flags | os.O_NOFOLLOW, dir_fd=current)
    finally:
        os.close(current)


def rename_without_replacing(source: tuple[int, str], target: tuple[int, str]) -> None:
    """Rename (folder descriptor, name) to another, failing with FileExistsError when the target is there."""
    arguments = (source[0], os.fsencode(source[1]), target[0], os.fsencode(target[1]), RENAME_NOREPLACE)
    if _libc.syscall(SYS_RENAMEAT2, *arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
