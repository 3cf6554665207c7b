"""Which rows of a partition may have changed, for several who mirror them, each at its own pace."""

from __future__ import annotations

from threading import Lock


class Changes:
    """The rows that changed, by who has not asked for them yet; nothing is kept where nobody follows."""

    def __init__(self) -> None:
        self._followers: list[set[int]] = []
        self._lock = Lock()

    def note(self, rows: set[int]) -> None:
        """Count rows as changed."""
        if not self._followers:
            return
        with self._lock:
            for waiting in self._followers:
                waiting.update(rows)

    def add(self, waiting: set[int]) -> None:
        """Note changes in a set, too."""
        with self._lock:
            self._followers.append(waiting)

    def replace(self, old: set[int], new: set[int] | None) -> None:
        """Note them in another one from now on, or no longer."""
        with self._lock:
            # By identity: sets of equal content are not the same follower.
            self._followers = [one for one in self._followers if one is not old]
            if new is not None:
                self._followers.append(new)


class Follower:
    """One who mirrors a partition; may be used from another thread than the handlers'."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._waiting: set[int] = set()
        changes.add(self._waiting)

    def take(self) -> set[int]:
        """Give the rows that may have changed since the last call, or since this began."""
        taken, self._waiting = self._waiting, set()
        self._changes.replace(taken, self._waiting)
        return taken

    def close(self) -> None:
        """Follow no longer."""
        self._changes.replace(self._waiting, None)
