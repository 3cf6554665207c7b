"""Home folders of workspaces: made, put aside when a named workspace is removed, brought back, and at last deleted."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Final

from twinhub.names import workspace_name
from twinhub.places import Places
from twinhub.removal import remove_tree

REMOVED: Final = re.compile(r"^\.removed-(?P<moment_s>\d+)-(?P<name>.+)$")
"""Folders put aside; no account name starts with a dot."""


def ensure_home(places: Places, owner: str, server: str = "") -> bool:
    """Make the folder that becomes a workspace's home; tell whether one that had been put aside came back."""
    home = places.homes / workspace_name(owner, server)
    if home.is_dir():
        return False
    removed = _removed(places, home.name)
    if removed:
        removed[-1].rename(home)
        return True
    home.mkdir(mode=0o700)
    if os.getuid() == 0:
        user_id = places.settings.workspace_user_id
        os.chown(home, user_id, user_id)
    return False


def put_home_aside(places: Places, owner: str, server: str) -> None:
    """Take a home out of use without deleting it: a workspace of the same name brings it back."""
    home = places.homes / workspace_name(owner, server)
    # Within one folder: that needs no right on the home itself, which belongs to its owner.
    if home.is_dir():
        home.rename(home.with_name(f".removed-{time.time_ns() // 10**9}-{home.name}"))


def list_homes(places: Places, owner: str) -> list[Path]:
    """Give every home of a person: their own, those of named workspaces, and what was put aside of them."""
    if not places.homes.is_dir():
        return []
    first = workspace_name(owner, "x").removesuffix("x")
    found = ((folder, REMOVED.match(folder.name)) for folder in places.homes.iterdir())
    named = ((folder, aside["name"] if aside else folder.name) for folder, aside in found)
    return sorted(folder for folder, name in named if name == owner or name.startswith(first))


def delete_expired_homes(places: Places) -> list[str]:
    """Delete homes that were put aside longer ago than the trash keeps; name them."""
    oldest_s = time.time() - places.settings.library.trash_days * 86_400
    expired = [folder for folder in _removed(places) if _moment_s(folder) < oldest_s]
    return [folder.name for folder in expired if remove_tree(folder)]


def _removed(places: Places, name: str | None = None) -> list[Path]:
    """Give the homes put aside, of one workspace or of all, the latest last."""
    folders = [
        folder
        for folder in places.homes.iterdir()
        if (found := REMOVED.match(folder.name)) and name in (None, found["name"])
    ]
    return sorted(folders, key=_moment_s)


def _moment_s(folder: Path) -> int:
    found = REMOVED.match(folder.name)
    return int(found["moment_s"]) if found else 0
