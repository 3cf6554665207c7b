"""The daily backup."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from datetime import datetime, timedelta
from typing import Final

from twinhub.operate.backup.catalogue import list_backups
from twinhub.places import Places

TRY_AGAIN_S: Final = 3600.0

log = logging.getLogger("backup")


class Schedule:
    """Make a backup each day at the configured time; one that was missed comes when the machine is back."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._process: subprocess.Popen[str] | None = None
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
        command = [sys.executable, "-m", "twinhub.operate.cli", "--data-dir", str(self._places.data_dir)]
        self._process = subprocess.Popen(
            [*command, "backup", "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.running_since = time.time()
        log.info("the daily backup has begun")

    def _look_after(self, process: subprocess.Popen[str]) -> None:
        if process.poll() is None:
            return
        said = process.stdout.read() if process.stdout else ""
        if process.stdout:
            process.stdout.close()
        self._process = self.running_since = None
        if process.returncode == 0:
            self.failed_at, self.failure = None, ""
            log.info("the daily backup is made: %s", json.loads(said.splitlines()[-1])["name"])
        else:
            self.failed_at = time.time()
            self.failure = (said.strip().splitlines() or ["it ended without a word"])[-1][:500]
            log.error("the daily backup failed: %s", self.failure)

    def stop(self) -> None:
        """End a backup that runs; what it has written so far is removed by the next."""
        if self._process is not None:
            self._process.terminate()


def last_moment(daily_at: str, now: datetime) -> datetime:
    """Give when that time of day was last."""
    hour, minute = (int(word) for word in daily_at.split(":"))
    moment = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return moment if moment <= now else moment - timedelta(days=1)
