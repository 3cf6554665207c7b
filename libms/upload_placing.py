"""How an upload begins and ends: who may, whether there is room, and under which name the file appears."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from typing import Final

from libms.audit import Audit
from libms.backend import Backend
from libms.errors import AssetNotFound, Changed, ChecksumMismatch, Exists, Frozen
from libms.models import About, EntryType
from libms.paths import AssetPath
from libms.quota import Quota
from libms.room import Room, set_mode
from libms.upload_rules import Conflict, Hash, Wish, names_beside
from libms.upload_store import Upload, UploadStore
from twinhub.errors import PublicError
from twinhub.signin import User

READ_BYTES: Final = 1024 * 1024
Changing = Callable[[User, AssetPath], AbstractContextManager[None]]
"""Raises unless the person may write there."""

log = logging.getLogger("libms")


class Placing:
    """Begin uploads and put finished ones under their name. Every method blocks."""

    def __init__(
        self,
        store: UploadStore,
        backend: Backend,
        *,
        room: Room,
        quota: Quota,
        changing: Changing,
        audit: Audit,
        changed: Callable[[AssetPath], None],
    ) -> None:
        self._store = store
        self._backend = backend
        self._room = room
        self._quota = quota
        self._changing = changing
        self._audit = audit
        self._changed = changed
        self._held: dict[str, tuple[str, int]] = {}

    def recover(self) -> None:
        """Take up what the last process left."""
        for upload in self._store.recover():
            if upload.placing is not None:
                self._audit.record(upload.user, "upload", upload.placing, f"{upload.length} bytes")
        for upload in self._store.unfinished():
            self._hold(upload)

    # --- the beginning ----------------------------------------------------------------

    def begin(self, user: User, wish: Wish, length: int) -> Upload:
        """Admit a file before its first byte; raises what says why not."""
        path = wish.path
        with self._changing(user, path):
            pass  # whoever may not write here is told before the first byte
        self._room.check(length, to_come=length)
        if path.owner == user.name:
            self._backend.ensure_owner(user.name)
        self._backend.about(AssetPath(path.owner, ()))  # where there is no owner, nothing could ever be placed
        self._check_target(wish)
        owner = path.owner or ""
        self._quota.hold(owner, length)
        try:
            upload = self._store.create(user.name, wish, length)
        except BaseException:
            self._quota.release(owner, length)
            raise
        self._held[upload.id] = (owner, length)
        return upload

    def _check_target(self, wish: Wish) -> None:
        there = self._about(wish.path)
        if wish.if_match is not None and (there is None or wish.if_match != there.etag):
            raise Changed(
                f"'{wish.path}' was changed by somebody else meanwhile.", "Load it again before replacing it."
            )
        if there is None or wish.conflict is Conflict.KEEP_BOTH:
            return
        if there.type is EntryType.TREE or wish.conflict is Conflict.REFUSE:
            raise Exists(
                f"'{wish.path}' exists already.",
                "Choose another name, or say in the metadata 'conflict': replace (a file) or keep-both.",
            )

    def _about(self, path: AssetPath) -> About | None:
        try:
            return self._backend.about(path)
        except AssetNotFound:
            return None

    def _hold(self, upload: Upload) -> None:
        owner = upload.wish.path.owner or ""
        self._quota.resume(owner, upload.length)
        self._held[upload.id] = (owner, upload.length)

    def drop(self, upload: Upload) -> None:
        """Give an upload up, or a finished one's memory."""
        self._store.remove(upload.id)
        self._release(upload.id)

    def bury(self, upload: Upload) -> None:
        """Let an upload expire."""
        if upload.placed is None:
            log.info("an upload of %s expired: %s", upload.user, ascii(str(upload.wish.path)))
        self._store.bury(upload.id)
        self._release(upload.id)

    def _release(self, upload_id: str) -> None:
        held = self._held.pop(upload_id, None)
        if held is not None:
            self._quota.release(*held)

    # --- the end ----------------------------------------------------------------------

    def finish(self, user: User, upload: Upload, whole: Hash | None = None) -> Upload:
        """Put a complete upload under its name, or beside one that is taken; raises what says why not.

        Without success all bytes stay, and it can be tried again; only a file
        that is not what it was announced to be is given up.
        """
        self._prepare(upload, whole)
        try:
            path = self._place(user, upload)
        except PublicError:
            self._store.verified(upload.id)  # it was; the next try need not read 10 GB again
            raise
        etag = None
        with suppress(PublicError):  # somebody may have taken it away again
            etag = self._backend.about(path).etag
        self._store.placed(upload.id, path, etag)
        self._audit.record(user.name, "upload", path, f"{upload.length} bytes")
        self._changed(path)  # counted before the promise is taken back
        self._release(upload.id)
        return self._store.find(upload.id) or upload

    def _prepare(self, upload: Upload, whole: Hash | None) -> None:
        replaced = self._about(upload.wish.path) if upload.wish.conflict is Conflict.REPLACE else None
        descriptor = self._store.open(upload.id)
        try:
            if upload.wish.sha256 is not None:
                self._check_whole(upload, whole.hexdigest() if whole else _sha256(descriptor))
            set_mode(descriptor, replaces_program=replaced is not None and replaced.executable)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _check_whole(self, upload: Upload, sha256: str) -> None:
        if sha256 == upload.wish.sha256:
            return
        self.drop(upload)
        raise ChecksumMismatch(
            f"The SHA-256 of '{upload.wish.path}' as it arrived is {sha256}, and {upload.wish.sha256} was announced. "
            "The upload is given up; nothing was stored under that name.",
            "Upload the file again from its beginning, and see that it does not change meanwhile.",
        )

    def _place(self, user: User, upload: Upload) -> AssetPath:
        wish = upload.wish
        replace = wish.conflict is Conflict.REPLACE
        aside = self._store.file(upload.id)
        for path in _candidates(wish.path):
            # Written down first: if the process dies after placing, this says where the file has gone.
            self._store.placing(upload.id, path)
            try:
                first = path == wish.path
                with self._changing(user, path):
                    self._backend.place(
                        aside, path, user.name, replace=replace and first, if_match=wish.if_match if first else None
                    )
            except (Exists, Changed, Frozen):
                continue
            return path
        raise Exists(f"'{wish.path}' and all names beside it are taken.", "Rename some, then try again.")


def _candidates(path: AssetPath) -> Iterator[AssetPath]:
    yield path
    yield from names_beside(path)


def _sha256(descriptor: int) -> str:
    """Hash a file from its beginning, in a bounded share of memory."""
    found = hashlib.sha256()
    buffer = bytearray(READ_BYTES)
    offset = 0
    while count := os.preadv(descriptor, [buffer], offset):
        found.update(memoryview(buffer)[:count])
        offset += count
    return found.hexdigest()
