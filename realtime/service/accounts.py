"""Who has an account at the broker: a list of names, and the broker's accounts made from it."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
from pathlib import Path

from realtime.service.broker import accounts_text
from realtime.service.config import ServiceConfig


class AccountsFile:
    """Owners in a file, and the accounts that the broker reads."""

    def __init__(self, config: ServiceConfig) -> None:
        self._config = config
        self._file = config.folder / "owners.json"
        self._lock = asyncio.Lock()
        self._owners: dict[str, str] = _read(self._file)
        """Each with a generation: who comes back after being erased has other passwords than before."""

    def owners(self) -> list[str]:
        """Name them."""
        return list(self._owners)

    def generation(self, owner: str) -> str:
        """Give what is mixed into the passwords of an owner's workers and programs."""
        return self._owners.get(owner, "")

    async def ensure(self, owner: str) -> None:
        """Have one made, and the broker know it."""
        async with self._lock:
            if owner not in self._owners:
                self._owners[owner] = secrets.token_hex(8)
                await asyncio.to_thread(self._save)
                reload(self._config)

    def write(self) -> None:
        """Write what the broker reads, before it starts."""
        self._save()

    def ensure_now(self, owner: str) -> None:
        """Have one made before the broker starts."""
        self._owners.setdefault(owner, secrets.token_hex(8))
        self._save()

    async def remove(self, owner: str) -> None:
        """Close an owner's account."""
        async with self._lock:
            if owner in self._owners:
                del self._owners[owner]
                await asyncio.to_thread(self._save)
                reload(self._config)

    def _save(self) -> None:
        self._config.broker_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The accounts first: an owner in the list whom the broker does not know would wait for ever.
        write_private(self._config.broker_folder / "accounts.conf", accounts_text(self._config, self._owners))
        write_private(self._file, json.dumps(self._owners))


def _read(file: Path) -> dict[str, str]:
    found = json.loads(file.read_text()) if file.exists() else {}
    return found if isinstance(found, dict) else dict.fromkeys(found, "")  # a list, as there were no generations once


def write_private(file: Path, text: str) -> None:
    """Write a file that nobody else may read, whole or not at all."""
    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    part.rename(file)


def reload(config: ServiceConfig) -> None:
    """Have our own servers read their configuration again; one that does not run reads it when it starts."""
    for file in config.broker_folder.glob("*.pid"):
        try:
            os.kill(int(file.read_text()), signal.SIGHUP)
        except (OSError, ValueError):
            continue
