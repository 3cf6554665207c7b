"""Take assets away by a commit, and bring them back from the commit before it."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import Final

from libms.errors import BackendUnreachable, NoSuchTrash
from libms.git.commands import GitFailed
from libms.git.commits import commit
from libms.git.drafts import Draft
from libms.git.mirror import Mirror, translated
from libms.git.mirrors import Mirrors
from libms.git.reading import View
from libms.git.trash import Record, Records
from libms.git.writing import present, refuse_fixed, refuse_taken
from libms.models import Trashed
from libms.paths import AssetPath
from twinhub.errors import PublicError

TRASH_REFS: Final = "refs/twinhub/trash/"
"""Keep in the mirror what was deleted, should somebody rewrite the remote's history."""

UNDER_WAY_S: Final = 3600.0
"""A push may still arrive although the process that started it was killed: so long its outcome is open."""


class Deletions:
    """The trash of all owners; see libms.backend.Backend for the contract."""

    def __init__(self, mirrors: Mirrors, records: Records) -> None:
        self._mirrors = mirrors
        self._records = records
        self._settled: set[str] = set()
        self._lock = threading.Lock()

    def delete(self, path: AssetPath, by: str) -> Trashed:
        refuse_fixed(path)
        mirror = self._mirrors.of(path)
        about = self._records.draw_up(path, by)

        def plan(draft: Draft) -> None:
            nonlocal about
            present(draft, path)
            head = mirror.snapshot().head
            about = replace(about, size=View(mirror, head, latest=True).size(path))
            draft.remove(path)

        def ready(before: str | None, after: str) -> None:
            mirror.commands.run("update-ref", "--end-of-options", TRASH_REFS + about.id, before or "")
            self._records.write_pending(Record(about, before or "", after))

        with translated(mirror):
            try:
                commit(mirror, by, f"Delete {path}", plan, ready)
            except BackendUnreachable:
                # It may have arrived all the same; what is noted is settled as after a crash.
                self._records.leave(about.id)
                self._settled.discard(mirror.owner)
                raise
            except Exception:
                self._forget(about.id, mirror)
                raise
        self._records.confirm(about.id)
        return about

    def of(self, owner: str) -> list[Trashed]:
        if owner in self._mirrors:
            self._settle(self._mirrors.of(AssetPath(owner, ())))
        return [record.about for record in self._records.every() if record.about.path.owner == owner]

    def find(self, trash_id: str) -> Record:
        record = self._records.find(trash_id)
        if (record.about.path.owner or "") not in self._mirrors:
            raise NoSuchTrash("There is nothing in the trash under that id.", "Its owner's repository is gone.")
        return record

    def restore(self, trash_id: str, by: str) -> AssetPath:
        record = self.find(trash_id)
        path = record.about.path
        mirror = self._mirrors.of(path)
        with translated(mirror):
            if mirror.objects.header(f"{record.before}^{{commit}}") is None:
                raise NoSuchTrash(
                    f"The version of '{path}' from before it was deleted is gone from the repository.",
                    "Somebody rewrote its history; their copy may still have it.",
                )
            item = View(mirror, record.before, latest=False).item(path)

        def plan(draft: Draft) -> None:
            refuse_taken(draft, path)
            draft.put(path, item)

        commit(mirror, by, f"Restore {path}", plan)
        self._forget(trash_id, mirror)
        return path

    def erase(self, trash_id: str) -> None:
        self._forget(trash_id, self._mirrors.of(self.find(trash_id).about.path))

    def purge(self) -> int:
        expired = [record for record in self._records.every() if record.about.expires < time.time()]
        for record in expired:
            owner = record.about.path.owner or ""
            self._forget(record.about.id, self._mirrors.known(owner))
        return len(expired)

    def _forget(self, trash_id: str, mirror: Mirror | None) -> None:
        self._records.drop(trash_id)
        if mirror is None:
            return
        with suppress(GitFailed):  # it never came to it, or the mirror was made anew
            mirror.commands.run("update-ref", "-d", "--end-of-options", TRASH_REFS + trash_id)

    def _settle(self, mirror: Mirror) -> None:
        """Find out what became of deletions whose outcome nobody learned."""
        with self._lock:
            if mirror.owner in self._settled:
                return
            pending = self._records.pending(mirror.owner)
            if pending:
                try:
                    mirror.refresh()
                except PublicError:
                    return  # as long as nobody knows, they stay noted
            for record in pending:
                if mirror.contains(record.after):
                    self._records.confirm(record.about.id)
                elif record.about.time + UNDER_WAY_S < time.time():
                    self._forget(record.about.id, mirror)
            if all(record.about.time + UNDER_WAY_S < time.time() for record in pending):
                self._settled.add(mirror.owner)
