"""Keep mirrors fresh behind the readers' backs."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from libms.git.mirror import Mirror
from twinhub.errors import PublicError

READ_LATELY_S: Final = 60.0
"""Mirrors that nobody has read for so long are left alone until somebody does."""
AT_ONCE: Final = 4
SHARE: Final = 0.25
"""How much of one processor all asking together may take; with many owners it is done less often."""
LONGEST_PAUSE_S: Final = 60.0

log = logging.getLogger("libms")


class _Watched:
    """A mirror and when to ask for news."""

    def __init__(self, mirror: Mirror) -> None:
        self.mirror = mirror
        self.read = 0.0
        self.due = 0.0
        self.failures = 0
        self.busy = False


class Poller:
    """One thread that sees who is due, and a few that fetch."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._watched: dict[str, _Watched] = {}
        self._wake = threading.Condition()
        self._closed = False
        self._fetchers = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="git-fetch")
        self._thread = threading.Thread(target=self._run, name="git-poll", daemon=True)
        self._thread.start()

    def touch(self, mirror: Mirror) -> None:
        """Note that a mirror was read just now; one that was left alone is refreshed at once."""
        now = time.monotonic()
        watched = self._watched.get(mirror.owner)
        if watched is not None and now - watched.read < READ_LATELY_S:
            watched.read = now
            return
        with self._wake:
            # What was read first was fetched first, at this moment.
            watched = self._watched.setdefault(mirror.owner, _Watched(mirror))
            watched.read = now
            self._wake.notify()

    def _run(self) -> None:
        with self._wake:
            while not self._closed:
                self._start_due()
                self._wake.wait(self._pause())

    def _start_due(self) -> None:
        now = time.monotonic()
        for watched in self._watched.values():
            watched.mirror.objects.close_idle()
            if now - watched.read <= READ_LATELY_S and watched.due <= now and not watched.busy:
                watched.busy = True
                self._fetchers.submit(self._refresh, watched)

    def _pause(self) -> float | None:
        """Wait until the next one is due; for ever where nobody reads."""
        now = time.monotonic()
        active = [one for one in self._watched.values() if now - one.read <= READ_LATELY_S]
        if not active:
            return READ_LATELY_S if self._watched else None
        waiting = [one.due - now for one in active if not one.busy]
        return max(min(waiting, default=self._interval_s), 0.01)

    def _refresh(self, watched: _Watched) -> None:
        owner = ascii(watched.mirror.owner)
        started = time.monotonic()
        try:
            watched.mirror.refresh_unless_busy()
            if watched.failures:
                log.info("the repository of %s answers again", owner)
            watched.failures = 0
        except PublicError as error:
            if not watched.failures:
                log.warning("the mirror of %s is not refreshed: %s", owner, error)
            watched.failures += 1
        except Exception:
            # The outermost loop of this thread: a bug must not end refreshing for everybody.
            log.exception("the mirror of %s could not be refreshed", owner)
            watched.failures += 1
        with self._wake:
            now = time.monotonic()
            active = sum(now - one.read <= READ_LATELY_S for one in self._watched.values())
            # Waiting for a server that does not answer costs nothing, so only an answer's time counts.
            fair = 0.0 if watched.failures else (now - started) * active / SHARE
            longest = max(LONGEST_PAUSE_S, self._interval_s)
            watched.due = now + min(max(self._interval_s * 2.0 ** min(watched.failures, 10), fair), longest)
            watched.busy = False
            self._wake.notify()

    def close(self) -> None:
        """Stop refreshing; waits for what is under way."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()
        self._fetchers.shutdown(cancel_futures=True)
