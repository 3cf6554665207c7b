"""What people do with assets: each act checks rights, does it, writes it down, and tells the index."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from libms.access import Access
from libms.audit import Audit
from libms.backend import Backend
from libms.copying import Copy, freeze, prepared_copy, remove
from libms.errors import AssetNotFound, BadRequest, Exists, NoSuchTrash, NotAFolder
from libms.models import About, EntryType, Found, Trashed
from libms.paths import AssetPath, parse_path
from libms.publishing import Publication, Publications, versioned_name
from libms.quota import Quota
from libms.room import Room, set_mode
from twinhub.errors import TooLarge
from twinhub.names import COMMON
from twinhub.signin import User

LARGEST_TEXT_BYTES = 5_000_000


class Assets:
    """The one way to assets for HTTP and GraphQL alike."""

    def __init__(
        self,
        backend: Backend,
        access: Access,
        *,
        publications: Publications,
        quota: Quota,
        room: Room,
        audit: Audit,
        changed: Callable[[AssetPath], None],
    ) -> None:
        self.backend = backend
        self.access = access
        self.publications = publications
        self.quota = quota
        self.room = room
        self.audit = audit
        self.changed = changed

    # --- the way in -------------------------------------------------------------------

    def locate(self, user: User, text: str, *, write: bool = False) -> AssetPath:
        """Check a path that somebody sent; raises PathRefused, AssetNotFound, Forbidden, Frozen."""
        path = parse_path(text)
        self.allow(user, path, write=write)
        return path

    def allow(self, user: User, path: AssetPath, *, write: bool = False) -> None:
        """Let pass what the person may do here; the one place where rights are asked for."""
        self.access.check(user, path, write=write)
        if path.owner == user.name:
            self.backend.ensure_owner(user.name)
        if write:
            self.publications.refuse_change(path)

    def allow_write(self, user: User, path: AssetPath) -> None:
        """Let pass whoever may put something here."""
        self.allow(user, path, write=True)

    # --- small changes ----------------------------------------------------------------

    def make_folder(self, user: User, text: str) -> AssetPath:
        """Make a folder; raises Exists."""
        path = self.locate(user, text, write=True)
        self.backend.make_folder(path, user.name)
        self._done(user, "make folder", path)
        return path

    def write_text(self, user: User, text_path: str, text: str, if_match: str | None) -> AssetPath:
        """Write a small text: over the file that was read, or where nothing is; raises Changed, Exists."""
        path = self.locate(user, text_path, write=True)
        data = _encode(text, path)
        self.room.check(len(data), to_come=len(data))
        self.quota.hold(path.owner or "", len(data))
        aside = self.backend.staging / f"text-{secrets.token_hex(12)}"
        try:
            self._write_aside(aside, data, path)
            self.backend.place(aside, path, user.name, if_match=if_match)
        finally:
            self.quota.release(path.owner or "", len(data))
            remove(aside)
        self._done(user, "write", path, f"{len(data)} bytes")
        return path

    def _write_aside(self, aside: Path, data: bytes, path: AssetPath) -> None:
        descriptor = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        try:
            with os.fdopen(descriptor, "r+b", closefd=False) as stream:
                stream.write(data)
            set_mode(descriptor, replaces_program=self.is_program(path))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def is_program(self, path: AssetPath) -> bool:
        """Tell whether an executable file is there."""
        about = self.file_at(path)
        return about is not None and about.executable

    def file_at(self, path: AssetPath) -> About | None:
        """Describe the file at a path; None where there is none."""
        try:
            about = self.backend.about(path)
        except (AssetNotFound, NotAFolder):
            return None
        return about if about.type is EntryType.BLOB else None

    def move(self, user: User, source_text: str, target_text: str) -> AssetPath:
        """Rename or move, the record of an asset's origin with it; raises Exists, PathRefused."""
        source = self.locate(user, source_text, write=True)
        target = self.locate(user, target_text, write=True)
        held = self._size(source) if target.owner != source.owner else 0
        self.quota.hold(target.owner or "", held)
        try:
            self.backend.move(source, target, user.name)
        finally:
            self.quota.release(target.owner or "", held)
        self._keep_origin(source, target)
        self._done(user, "move", source, f"to {target}")
        if target.owner != source.owner:
            self.audit.record(user.name, "move", target, f"from {source}")
        self.changed(target)
        return target

    def copy(self, user: User, source_text: str, target_text: str, ref: str | None = None) -> AssetPath:
        """Copy a file or folder; raises Exists, QuotaExceeded, DiskFull."""
        source = self.locate(user, source_text)
        target = self.locate(user, target_text, write=True)
        self._place_copy(user, source, target, ref)
        self._keep_origin(source, target)
        return target

    def _place_copy(
        self, user: User, source: AssetPath, target: AssetPath, ref: str | None, *, frozen: bool = False
    ) -> Copy:
        size = self._size(source, ref)
        self.room.check(0, to_come=size)
        self.quota.hold(target.owner or "", size)
        try:
            with prepared_copy(self.backend, source, ref) as copy:
                if frozen:
                    freeze(copy.aside)
                self.backend.place(copy.aside, target, user.name)
        finally:
            self.quota.release(target.owner or "", size)
        self._read(user, "copy", source, f"to {target}")
        self._done(user, "copy", target, f"from {source}")
        return copy

    def _keep_origin(self, source: AssetPath, target: AssetPath) -> None:
        origin = self.publications.origin(source)
        if origin is not None:
            self.publications.write_origin(target, origin)

    def _size(self, path: AssetPath, ref: str | None = None) -> int:
        about = self.backend.about(path, ref)
        if about.type is EntryType.BLOB:
            return about.size
        return sum(found.size for found in self.backend.walk(path, ref))

    # --- the trash --------------------------------------------------------------------

    def delete(self, user: User, text: str) -> Trashed:
        """Put something into the trash; a published version only by who published it, or an administrator."""
        path = parse_path(text)
        publication = self.publications.find(path)
        if publication and path == publication.path and (user.admin or publication.by == user.name):
            self.access.check(user, path, write=True)
        else:
            self.allow(user, path, write=True)
        trashed = self.backend.delete(path, user.name)
        self._done(user, "delete", path)
        return trashed

    def restore(self, user: User, trash_id: str) -> AssetPath:
        """Bring something back; raises NoSuchTrash, Exists."""
        self._trashed(user, trash_id)
        path = self.backend.restore(trash_id, user.name)
        self._done(user, "restore", path)
        return path

    def erase(self, user: User, trash_id: str) -> None:
        """Give something in the trash up for good; raises NoSuchTrash."""
        trashed = self._trashed(user, trash_id)
        self.backend.erase(trash_id)
        self.audit.record(user.name, "erase", trashed.path)

    def _trashed(self, user: User, trash_id: str) -> Trashed:
        trashed = self.backend.trashed(trash_id)
        try:
            self.access.check(user, trashed.path, write=True)
        except AssetNotFound:
            # What somebody else deleted is nobody's business either.
            raise NoSuchTrash(
                "There is nothing in the trash under that id.", "It may have been restored or expired."
            ) from None
        return trashed

    def trash(self, user: User, owner: str) -> list[Trashed]:
        """List an owner's trash, latest first."""
        self.allow(user, AssetPath(owner, ()))
        return self.backend.trash(owner)

    # --- publishing -------------------------------------------------------------------

    def publish(self, user: User, text: str, version: str, *, name: str | None, note: str) -> AssetPath:
        """Freeze an asset as a version in `common`; raises Exists where the version is taken."""
        source = self.locate(user, text)
        category, own_name = _asset_of(source)
        is_folder = self.backend.about(source).type is EntryType.TREE
        name = name or own_name
        target = parse_path(f"{COMMON}/{category}/{versioned_name(name, version, folder=is_folder)}")
        if self.publications.find(target) is not None:
            raise Exists(f"Version {version} of '{name}' is published already, and never changes.", "Count it up.")
        self.allow(user, target, write=True)
        origin = self.publications.origin(source)
        copy = self._place_copy(user, source, target, None, frozen=True)
        self.publications.write(
            Publication(
                path=target,
                name=name,
                version=version,
                by=user.name,
                time=round(time.time(), 3),
                note=note[:2000],
                source=str(source),
                derived_from=origin.path if origin else "",
                files=copy.files if is_folder else (replace(copy.files[0], path=target.name),),
                signed=True,
            )
        )
        self._done(user, "publish", target, f"from {source}")
        return target

    def take(self, user: User, text: str, target_text: str | None) -> AssetPath:
        """Copy a shared asset into the person's own folder and remember where it came from; raises Exists."""
        source = self.locate(user, text)
        if source.owner != COMMON:
            raise BadRequest(f"'{source}' is not shared.", "Take assets from 'common'; copy those of your own.")
        category, name = _asset_of(source)
        publication = self.publications.find(source)
        if publication is not None and source == publication.path:
            name = publication.name
        target = self.locate(user, target_text or f"{user.name}/{category}/{name}", write=True)
        self._place_copy(user, source, target, None)
        self.publications.write_origin(target, self.publications.origin_of(publication, source, user.name))
        return target

    # --- writing it down --------------------------------------------------------------

    def walk_for_download(self, user: User, path: AssetPath, ref: str | None) -> list[Found]:
        """List all that is below a folder, for a download of the whole."""
        found = list(self.backend.walk(path, ref))
        self._read(user, "download", path, f"folder of {len(found)} entries")
        return found

    def _read(self, user: User, action: str, path: AssetPath, detail: str = "") -> None:
        self.audit.record(user.name, action, path, detail)

    def _done(self, user: User, action: str, path: AssetPath, detail: str = "") -> None:
        self.audit.record(user.name, action, path, detail)
        self.changed(path)


def _asset_of(path: AssetPath) -> tuple[str, str]:
    """Give category and name of what can be published or taken; raises BadRequest."""
    if path.category is None or len(path.names) < 2:
        raise BadRequest(f"'{path}' is no asset.", "Name something in one of the five categories.")
    return path.category, path.name


def _encode(text: str, path: AssetPath) -> bytes:
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadRequest(f"The text for '{path}' is not valid Unicode.", "Send it as UTF-8.") from error
    if len(data) > LARGEST_TEXT_BYTES:
        raise TooLarge(f"The text has {len(data)} bytes.", f"Upload files above {LARGEST_TEXT_BYTES // 10**6} MB.")
    return data
