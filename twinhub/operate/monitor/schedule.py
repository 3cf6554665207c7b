"""The daily backup."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import IO, Final

from twinhub.operate.backup.catalogue import list_backups
from twinhub.places import Places

TRY_AGAIN_S: Final = 3600.0
LONGEST_S: Final = 3 * 86_400.0
"""Much more than a first backup of terabytes takes; what runs longer hangs."""
SAID_BYTES: Final = 1_000_000
"""More than the longest summary of a backup."""

log = logging.getLogger("backup")


class Schedule:
    """Make a backup each day at the configured time; one that was missed comes when the machine is back."""

    def __init__(self, places: Places, command: Sequence[str] = (), *, longest_s: float = LONGEST_S) -> None:
        """Make backups with a command, by default that of this installation."""
        own = (sys.executable, "-m", "twinhub.operate.cli", "--data-dir", str(places.data_dir), "backup", "--json")
        self._places = places
        self._command = tuple(command) or own
        self._longest_s = longest_s
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None
        self._started_s = 0.0
        self._given_up = False
        self.running_since: float | None = None
        self.failed_at: float | None = None
        self.failure = ""

    def tend(self) -> None:
        """Start a backup when one is due, and take note of the end of the one that runs."""
        if self._process is not None:
            self._look_after(self._process)
        elif self._due():
            self._start()

    def _due(self) -> bool:
        daily_at = self._places.settings.backup.daily_at
        if daily_at is None:
            return False
        now = datetime.now().astimezone()
        if self.failed_at is not None and now.timestamp() < self.failed_at + TRY_AGAIN_S:
            return False
        began = [backup.began for backup in list_backups(self._places.backups) if backup.kind == "full"]
        return not began or began[-1] < last_moment(daily_at, now).timestamp()

    def _start(self) -> None:
        # A process of its own: a big backup's memory and time are not the monitor's.
        # A file, as nobody empties a pipe while it runs: a full one would hold it for good.
        said = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        try:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT
            )
        except OSError:
            said.close()
            raise
        self._said, self._given_up = said, False
        self._started_s, self.running_since = time.monotonic(), time.time()
        log.info("the daily backup has begun")

    def _look_after(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            if time.monotonic() - self._started_s > self._longest_s:
                self._give_up(process)
            return
        said = self._last_words()
        self._process = self.running_since = None
        if process.returncode == 0:
            self.failed_at, self.failure = None, ""
            log.info("the daily backup is made: %s", _name_in(said))
        elif not self._given_up:
            self._failed((said.splitlines() or ["it ended without a word"])[-1][:500])

    def _give_up(self, process: subprocess.Popen[bytes]) -> None:
        """End what hangs: kindly at first, by force at the next look."""
        if self._given_up:
            process.kill()
            return
        process.terminate()
        self._given_up = True
        self._failed(f"it had not ended after {self._longest_s / 3600:.0f} hours and was stopped")

    def _failed(self, failure: str) -> None:
        self.failed_at, self.failure = time.time(), failure
        log.error("the daily backup failed: %s", failure)

    def _last_words(self) -> str:
        if self._said is None:
            return ""
        with self._said as stream:
            stream.seek(max(0, stream.seek(0, 2) - SAID_BYTES))
            return stream.read().decode(errors="replace").strip()

    def stop(self) -> None:
        """End a backup that runs; what it has written so far is removed by the next."""
        if self._process is not None:
            self._process.terminate()


def _name_in(said: str) -> str:
    with suppress(ValueError, KeyError, TypeError, IndexError):
        return str(json.loads(said.splitlines()[-1])["name"])
    return "without a summary"


def last_moment(daily_at: str, now: datetime) -> datetime:
    """Give when that time of day was last."""
    hour, minute = (int(word) for word in daily_at.split(":"))
    moment = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return moment if moment <= now else moment - timedelta(days=1)
