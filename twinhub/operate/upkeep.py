"""`python -m twinhub.operate.upkeep`: what is due now and then: certificate, access log, firewall, homes long removed.

A process of its own, as these need what the gateway's account must not have: the
keys of the operator and of the local authority, a word to the supervisor, the network's rules.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from prometheus_client import Counter

from gateway.serving import write_serving
from twinhub.errors import PublicError
from twinhub.homes import delete_expired_homes
from twinhub.logging import configure_logging
from twinhub.metrics_socket import offer_figures
from twinhub.names import COMMON
from twinhub.operate.firewall import ensure_firewall
from twinhub.operate.supervisor import Supervisor
from twinhub.owners import secure_owner_folder
from twinhub.places import Places, read_places

LOOK_EVERY_S: Final = 5.0
EVERY_HOUR_S: Final = 3600.0
FIREWALL_EVERY_S: Final = 10.0
KEPT: Final = 5
"""Access logs put aside, the newest with the lowest number."""

FIREWALL_SET_AGAIN: Final = Counter(
    "twinhub_firewall_set_again", "How often the rules of the workspaces' network were gone"
)

log = logging.getLogger("upkeep")


@dataclass
class Upkeep:
    """What is looked at every few seconds."""

    places: Places
    _seen: tuple[tuple[int, int], ...] | None = None
    _renewed_s: float = field(default=float("-inf"))
    _walled_s: float = field(default=float("-inf"))
    _homes_tended_s: float = field(default=float("-inf"))

    def tend(self, now_s: float) -> None:
        """Do what is due, the firewall first; what fails keeps nothing else from its turn."""
        tasks = (
            self._tend_firewall,
            self._tend_common,
            self._tend_certificate,
            self._tend_access_log,
            self._tend_homes,
        )
        for task in tasks:
            try:
                task(now_s)
            except PublicError as error:
                log.warning("%s %s", error.what, error.fix)
            except OSError as error:
                log.warning("upkeep has to wait: %s", error)

    def _tend_common(self, _: float) -> None:
        """Take the shared folder back from whoever gave it away or closed it, with sudo in a workspace."""
        secure_owner_folder(self.places, COMMON)

    def _tend_certificate(self, now_s: float) -> None:
        """Serve what the operator's files have become, and a new certificate before the local one ends."""
        state = self._state_of_files()
        if state == self._seen and now_s - self._renewed_s < EVERY_HOUR_S:
            return
        # Noted first: a pair that is refused is looked at again when it changes, not every few seconds.
        self._seen, self._renewed_s = state, now_s
        if self.places.settings.gateway.encrypted and write_serving(self.places):
            log.warning("the gateway serves another certificate from now on")

    def _tend_homes(self, now_s: float) -> None:
        """Delete the homes of workspaces that were removed longer ago than the trash keeps."""
        if now_s - self._homes_tended_s >= EVERY_HOUR_S:
            self._homes_tended_s = now_s
            for name in delete_expired_homes(self.places):
                log.warning("deleted the home %s, which was put aside long ago", name)

    def _state_of_files(self) -> tuple[tuple[int, int], ...]:
        gateway = self.places.settings.gateway
        files = [file for file in (gateway.certificate, gateway.certificate_key) if file and gateway.tls == "files"]
        return tuple((file.stat().st_mtime_ns, file.stat().st_ino) for file in files if file.exists())

    def _tend_access_log(self, _: float) -> None:
        file = self.places.access_log
        if not file.exists() or file.stat().st_size < self.places.settings.gateway.access_log_mb * 1_000_000:
            return
        put_aside(file)
        # Traefik opens the file anew at this signal, and loses no line.
        pid = next((state.pid for state in Supervisor(self.places).states() if state.name == "gateway"), 0)
        if pid:
            os.kill(pid, signal.SIGUSR1)

    def _tend_firewall(self, now_s: float) -> None:
        """Set the rules again that somebody has flushed, or an engine has rewritten."""
        if now_s - self._walled_s < FIREWALL_EVERY_S or os.getuid() != 0:
            return
        self._walled_s = now_s
        if ensure_firewall(self.places):
            FIREWALL_SET_AGAIN.inc()
            log.warning("the rules of the workspaces' network were gone, and are set again")


def put_aside(file: Path) -> None:
    """Rename a log to NAME.1, the earlier ones one number up, and drop the oldest."""
    for number in range(KEPT - 1, 0, -1):
        older = file.with_name(f"{file.name}.{number}")
        if older.exists():
            older.rename(file.with_name(f"{file.name}.{number + 1}"))
    file.rename(file.with_name(f"{file.name}.1"))


def main() -> None:
    """Look until told to stop."""
    places = read_places()
    configure_logging("upkeep", places.settings.monitoring.log_level)
    offer_figures(places, "upkeep")
    upkeep = Upkeep(places)
    while True:
        upkeep.tend(time.monotonic())
        time.sleep(LOOK_EVERY_S)


if __name__ == "__main__":
    main()
