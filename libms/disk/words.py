"""Errors of the file system in words that never show a path of the host."""

from __future__ import annotations

import errno
from typing import Final

from libms.access import not_found
from libms.errors import DiskFull, Exists, NotAFile, NotAFolder, NotYours, PathRefused
from libms.paths import AssetPath
from twinhub.errors import PublicError

MISSING: Final = frozenset({errno.ENOENT, errno.EXDEV, errno.ELOOP, errno.ENXIO})
"""Answers that all mean: nothing there that this person may see. EXDEV is a link that leads out."""

_EXISTS: Final = (Exists, "'{path}' exists already.", "Choose another name, or delete it first.")
_NOT_YOURS: Final = (
    NotYours,
    "'{path}' belongs to another account of the workspace, perhaps made with sudo.",
    "In a terminal of the workspace: sudo chown -R $USER /workspace",
)
_FULL: Final = (DiskFull, "'{path}' could not be stored: the disk is full.", "Ask an administrator for room.")
_WORDS: Final[dict[int, tuple[type[PublicError], str, str]]] = {
    errno.ENOTDIR: (NotAFolder, "ENOTDIR: not a directory, '{path}'", "Read it as a file, or name a folder."),
    errno.EEXIST: _EXISTS,
    errno.ENOTEMPTY: _EXISTS,
    errno.EISDIR: (NotAFile, "'{path}' is a folder.", "Choose another name."),
    errno.EACCES: _NOT_YOURS,
    errno.EPERM: _NOT_YOURS,
    errno.ENAMETOOLONG: (PathRefused, "A name in '{path}' is too long.", "Use at most 255 bytes."),
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
}


def explain(error: OSError, path: AssetPath) -> Exception:
    """Give the PublicError for an error of the file system; the error itself when it is our bug."""
    if error.errno in MISSING:
        return not_found(path)
    words = _WORDS.get(error.errno or 0)
    if words is None:
        return error
    kind, what, fix = words
    return kind(what.format(path=path), fix)
