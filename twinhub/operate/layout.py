"""Folders and secrets of an installation, each with the owner and mode it must have."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from hub.accounts import check_name
from twinhub.names import COMMON
from twinhub.operate.checks import NAME_FILE
from twinhub.owners import ensure_owner_folder, secure_owner_folder
from twinhub.places import Places
from twinhub.secrets import ensure_copy, ensure_secret

HUB_SECRETS: Final = ("hub-cookie", "gateway-api", "watch", "operator", "realtime-at-hub")
SHARED_SECRETS: Final = ("session", "oauth", "library")
"""Read by the pages and the library."""

REALTIME: Final = "realtime"
"""What passwords at the broker and keys of devices are made from."""
REALTIME_AT_HUB: Final = "realtime-hub"
"""With which the service of real-time twins starts the workspaces that people's models run in."""
REALTIME_SESSION: Final = "session-realtime"

OAUTH_OF_HUB: Final = "oauth-hub"
"""The hub's copy of what it shares with the pages, as each account reads only files of its own."""

ADMIN_PASSWORD: Final = "admin-password"  # noqa: S105 - a file's name


def password_file(places: Places, name: str) -> Path:
    """Name the file of a password that was made for somebody; raises AccountError for a name that cannot be."""
    check_name(name)
    return places.secrets / f"password-{name}"


def ensure_layout(places: Places) -> None:
    """Make every folder and secret that is missing; existing ones keep their content."""
    service_id = places.settings.workspace_user_id
    hub_id = places.hub_user_id
    for folder, mode, owner_id in (
        (places.data_dir, 0o711, None),
        (places.secrets, 0o711, None),
        (places.hub, 0o700, hub_id),
        (places.log, 0o700, None),
        (places.run, 0o711, None),
        (places.gateway, 0o711, None),
        (places.access_log.parent, 0o700, places.gateway_user_id),
        (places.trash, 0o700, service_id),
        (places.uploads, 0o700, service_id),
        (places.library, 0o700, service_id),
        (places.homes, 0o700, None),
        (places.audit, 0o711, None),
        (places.audit / "hub", 0o700, hub_id),
        (places.audit / "services", 0o700, service_id),
        (places.audit / "root", 0o700, None),
        (places.workspaces, 0o711, None),
        (places.workspace_state, 0o755, None),
        (places.ends, 0o755, hub_id),
        (places.keep, 0o700, service_id),
        (places.images, 0o755, None),
        (places.realtime, 0o700, places.realtime_user_id),
        (places.audit / "realtime", 0o700, places.realtime_user_id),
    ):
        _ensure_folder(folder, mode, owner_id)
    _ensure_shared(places.engine_gate_socket.parent, 0o750, hub_id)
    # Sticky: the library makes folders of people there, and can rename or remove none that root has taken over.
    _ensure_shared(places.files, 0o1770, service_id)
    # The hub writes its routes beside ours, which it can neither change nor remove.
    _ensure_shared(places.gateway / "dynamic", 0o1775, hub_id)
    for name in HUB_SECRETS:
        ensure_secret(places.secrets / name)
    for name in SHARED_SECRETS:
        ensure_secret(places.secrets / name, service_id if os.getuid() == 0 else None)
    places.revocations.touch(mode=0o644)
    # 20 hexadecimal characters are 80 bits, and still typed by hand without despair.
    ensure_secret(places.secrets / ADMIN_PASSWORD, length_bytes=10)
    ensure_copy(places.secrets / "oauth", places.secrets / OAUTH_OF_HUB)
    ensure_secret(places.secrets / REALTIME)
    ensure_copy(places.secrets / "session", places.secrets / REALTIME_SESSION)
    ensure_copy(places.secrets / "realtime-at-hub", places.secrets / REALTIME_AT_HUB)
    ensure_owner_folder(places, COMMON)
    secure_owner_folder(places, COMMON)
    (places.data_dir / NAME_FILE).write_text(places.settings.name + "\n")
    if places.settings.installed_by_root:
        _hand_to_hub(places)
        _hand_to_realtime(places)


def _hand_to_hub(places: Places) -> None:
    """Give the hub's account what is its own; in an older installation all of it is root's."""
    provider = places.settings.accounts.provider_secret
    _give(places.secrets, (*HUB_SECRETS, OAUTH_OF_HUB, ADMIN_PASSWORD, provider), places.hub_user_id)
    _give(places.run, (places.revocations.name,), places.hub_user_id)
    _give(places.hub, [file.name for file in places.hub.iterdir()], places.hub_user_id)
    _give(places.gateway / "dynamic", ("hub.yaml",), places.hub_user_id)


def _hand_to_realtime(places: Places) -> None:
    """Give the account of broker and service its own secrets, and those that an operator has put there for it."""
    section = places.settings.realtime
    named = (section.history.secret_file, section.alerts.mail.password_file, section.leaf_secret)
    connectors = (connector.password_file for connector in section.connectors.values())
    ours = (REALTIME, REALTIME_SESSION, REALTIME_AT_HUB)
    _give(places.secrets, (*ours, *(name for name in (*named, *connectors) if name)), places.realtime_user_id)


def _give(folder: Path, names: Iterable[str], user_id: int) -> None:
    """Hand over ordinary files of root; a link, to whatever it leads, stays whose it is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        for name in names:
            with suppress(FileNotFoundError):
                about = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                if stat.S_ISREG(about.st_mode) and about.st_nlink == 1 and about.st_uid == 0:
                    os.chown(name, user_id, -1, dir_fd=descriptor, follow_symlinks=False)
    finally:
        os.close(descriptor)


def _ensure_shared(folder: Path, mode: int, group_id: int) -> None:
    """Make a folder of ours that one group may use too."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.getuid() == 0:
        os.chown(folder, 0, group_id)
    folder.chmod(mode)


def _ensure_folder(folder: Path, mode: int, owner_id: int | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o7777 != mode:
        folder.chmod(mode)
    if owner_id is not None and os.getuid() == 0 and folder.stat().st_uid != owner_id:
        os.chown(folder, owner_id, owner_id)
