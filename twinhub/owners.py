"""Folders of the people who own assets: made whole, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from twinhub.names import COMMON, Category
from twinhub.places import Places


def ensure_owner_folder(places: Places, owner: str) -> bool:
    """Make an owner's folder with its five categories; tell whether it was missing.

    The folder is prepared aside and renamed into place, so nothing of it is ever
    written below a folder that its owner can already change (and fill with links).
    """
    target = places.files / owner
    if target.is_dir():
        return False
    user_id = places.settings.workspace_user_id
    aside = Path(tempfile.mkdtemp(prefix=f".new-{owner}-", dir=places.files))
    try:
        for name in (*Category, *(() if owner == COMMON else (COMMON,))):
            (aside / name).mkdir(mode=0o755)
            _hand_over(aside / name, user_id)
        aside.chmod(0o755)
        _hand_over(aside, user_id)
        aside.rename(target)
    except FileExistsError:
        return False
    except OSError:
        if target.is_dir():
            return False
        raise
    finally:
        if aside.exists():
            shutil.rmtree(aside)
    return True


def ensure_home(places: Places, owner: str) -> None:
    """Make the folder that becomes a person's home in their workspace."""
    home = places.homes / owner
    if not home.is_dir():
        home.mkdir(mode=0o700)
        _hand_over(home, places.settings.workspace_user_id)


def _hand_over(folder: Path, user_id: int) -> None:
    if os.getuid() == 0:
        os.chown(folder, user_id, user_id)
