"""Folders of the people who own assets: made whole, or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from pathlib import Path
from typing import Final

from twinhub.names import COMMON, Category
from twinhub.places import Places

MODE: Final = 0o775
FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def ensure_owner_folder(places: Places, owner: str) -> bool:
    """Make an owner's folder with its five categories; tell whether it was missing.

    The folder is prepared aside and renamed into place, so nothing of it is ever
    written below a folder that its owner can already change (and fill with links).
    """
    if (places.files / owner).is_dir():
        return False
    names = (*Category, *(() if owner == COMMON else (COMMON,)))
    aside = f".new-{owner}-{secrets.token_hex(8)}"
    files = os.open(places.files, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.mkdir(aside, 0o700, dir_fd=files)
        _fill(files, aside, names, places.settings.workspace_user_id)
        os.rename(aside, owner, src_dir_fd=files, dst_dir_fd=files)
    except OSError:
        if (places.files / owner).is_dir():
            return False
        raise
    finally:
        os.close(files)
        if (places.files / aside).is_dir():
            shutil.rmtree(places.files / aside)
    return True


def secure_owner_folder(places: Places, owner: str) -> None:
    """As root, make an owner's folder root's own; its group, which is the owner's account, may write as before.

    Among entries of a sticky folder only an entry's owner may rename it. So from now
    on no account but root can put another folder, or a link, in its place between
    the moment it is looked at and the moment the engine mounts it.
    Raises OSError where it is a link or no folder.
    """
    if os.getuid() != 0:
        return
    folder = os.open(places.files / owner, FOLDER)
    try:
        about, group_id = os.fstat(folder), places.settings.workspace_user_id
        if (about.st_uid, about.st_gid) != (0, group_id):
            os.chown(folder, 0, group_id)
        if stat.S_IMODE(about.st_mode) != MODE:
            os.fchmod(folder, MODE)
    finally:
        os.close(folder)


def _fill(files: int, aside: str, names: tuple[str, ...], user_id: int) -> None:
    """Make the categories and hand all over, through open folders only.

    Root does this in a folder that the library's account may change: whatever that
    account puts in the way of a name, nothing outside is touched.
    """
    folder = os.open(aside, FOLDER, dir_fd=files)
    try:
        for name in names:
            os.mkdir(name, 0o755, dir_fd=folder)
            category = os.open(name, FOLDER, dir_fd=folder)
            try:
                _hand_over(category, user_id)
            finally:
                os.close(category)
        os.fchmod(folder, 0o755)
        _hand_over(folder, user_id)
    finally:
        os.close(folder)


def _hand_over(folder: int | Path, user_id: int) -> None:
    if os.getuid() == 0:
        os.chown(folder, user_id, user_id)
