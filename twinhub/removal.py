"""Delete whole trees of strangers' making."""

from __future__ import annotations

import logging
import os
import secrets
from contextlib import suppress
from pathlib import Path

log = logging.getLogger("twinhub")


def remove_tree(path: Path) -> bool:
    """Delete a file or a folder with all that is below it; tell whether it is gone.

    `shutil.rmtree` goes down by recursion, which a folder 1,000 levels deep
    ends with RecursionError. Here what is in a subfolder's subfolders is first
    moved up beside it, so that the depth is never more than two. What cannot be
    deleted, such as files that root made in a workspace, stays; the rest goes.
    """
    try:
        top = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    except OSError:
        with suppress(OSError):
            path.unlink()
        return not os.path.lexists(path)
    try:
        _empty(top)
    finally:
        os.close(top)
    try:
        path.rmdir()
    except OSError as error:
        log.warning("something stays in a folder that was to be deleted: %s", error.strerror)
        return False
    return True


def _empty(top: int) -> None:
    stuck: set[str] = set()
    while names := [name for name in os.listdir(top) if name not in stuck]:
        for name in names:
            try:
                _remove(top, name)
            except OSError:
                stuck.add(name)


def _remove(top: int, name: str) -> None:
    """Delete something in an open folder; what is below a folder in it is moved up into the open one."""
    try:
        os.unlink(name, dir_fd=top)
    except IsADirectoryError:
        pass
    else:
        return
    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=top)
    try:
        for child in os.listdir(inner):  # noqa: PTH208 - an open folder has no path
            try:
                os.unlink(child, dir_fd=inner)
            except IsADirectoryError:
                os.rename(child, f"up-{secrets.token_hex(8)}", src_dir_fd=inner, dst_dir_fd=top)
    finally:
        os.close(inner)
    os.rmdir(name, dir_fd=top)
