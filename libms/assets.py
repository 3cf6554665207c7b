"""What people do with assets: each act checks rights, does it, writes it down, and tells the index."""

from __future__ import annotations

import logging
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Final

from libms.access import Access
from libms.audit import Audit
from libms.backend import Backend
from libms.copying import Wish, prepared_copy, remove
from libms.errors import AssetNotFound, BadRequest, Exists, NoSuchTrash, NotAFolder, PathRefused
from libms.models import About, EntryType, Found, Trashed
from libms.paths import AssetPath, parse_path
from libms.publishing import Publication, Publications, split_ending, versioned_name
from libms.quota import Quota
from libms.room import Room, set_mode
from twinhub.errors import PublicError, TooLarge
from twinhub.names import COMMON, USERNAME_PATTERN, Category
from twinhub.signin import User

LARGEST_TEXT_BYTES: Final = 5_000_000

log = logging.getLogger("libms")


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
        open_owners: bool = False,
    ) -> None:
        self.backend = backend
        self.access = access
        self.publications = publications
        self.quota = quota
        self.room = room
        self.audit = audit
        self.changed = changed
        self.open_owners = open_owners
        """Whether a name that nobody has becomes an owner's when something is put there: where nobody signs in."""
        self._common = threading.RLock()

    # --- the way in -------------------------------------------------------------------

    def locate(self, user: User, text: str, *, write: bool = False, root: bool = False) -> AssetPath:
        """Check a path that somebody sent; raises PathRefused, AssetNotFound, Forbidden, Frozen.

        The folder of all owners is nobody's asset: only a listing, which shows each person theirs, may name it.
        """
        path = parse_path(text)
        if path.owner is None and not root:
            raise PathRefused("The path names no owner.", "Give it from the owner on: OWNER/CATEGORY/…")
        self.allow(user, path, write=write)
        return path

    def allow(self, user: User, path: AssetPath, *, write: bool = False) -> None:
        """Let pass what the person may do here; the one place where rights are asked for."""
        self.access.check(user, path, write=write)
        if path.owner == user.name or (write and self.open_owners and re.fullmatch(USERNAME_PATTERN, path.owner or "")):
            self.backend.ensure_owner(path.owner or "")
        if write:
            self.publications.refuse_change(path)

    @contextmanager
    def changing(self, user: User, path: AssetPath) -> Iterator[None]:
        """Let pass whoever may put something here, at the moment when it is done.

        Bytes may take hours to come: by then the person may have lost the right,
        or the name may have been published. Publishing holds the same lock.
        """
        with self._common if path.owner == COMMON else nullcontext():
            self.allow(user, path, write=True)
            _check_place(path)
            fresh = path.owner != COMMON and len(path.names) == 2 and not self._is_there(path)
            yield
            if fresh:
                # Whatever had this name was taken from somewhere; what stands here now was not.
                self.publications.forget_origin(path, user.name)

    def place(
        self, user: User, aside: Path, path: AssetPath, *, replace: bool = False, if_match: str | None = None
    ) -> None:
        """Put something prepared under its name; raises what `allow` and `Backend.place` raise."""
        with self.changing(user, path):
            self.backend.place(aside, path, user.name, replace=replace, if_match=if_match)

    # --- small changes ----------------------------------------------------------------

    def make_folder(self, user: User, text: str) -> AssetPath:
        """Make a folder; raises Exists."""
        path = self.locate(user, text, write=True)
        with self.changing(user, path):
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
            self.place(user, aside, path, if_match=if_match)
            self._done(user, "write", path, f"{len(data)} bytes")
        finally:
            self.quota.release(path.owner or "", len(data))
            remove(aside)
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
            with self._common if COMMON in (source.owner, target.owner) else nullcontext():
                self.allow(user, source, write=True)
                with self.changing(user, target):
                    self.backend.move(source, target, user.name)
        finally:
            self.quota.release(target.owner or "", held)
        self._done(user, "move", source, f"to {target}")
        if target.owner != source.owner:
            self.audit.record(user.name, "move", target, f"from {source}")
        self.changed(target)
        self._keep_origin(source, target, gone=True)
        return target

    def copy(self, user: User, source_text: str, target_text: str, ref: str | None = None) -> AssetPath:
        """Copy a file or folder; raises Exists, QuotaExceeded, DiskFull."""
        source = self.locate(user, source_text)
        target = self.locate(user, target_text, write=True)
        self._place_copy(user, source, target, ref)
        self._keep_origin(source, target)
        return target

    def _place_copy(self, user: User, source: AssetPath, target: AssetPath, ref: str | None) -> None:
        size = self._size(source, ref)
        with self._room_for(target, size), prepared_copy(self.backend, source, Wish(ref, most_bytes=size)) as copy:
            self.place(user, copy.aside, target)
            self.audit.record(user.name, "copy", source, f"to {target}")
            self._done(user, "copy", target, f"from {source}")

    @contextmanager
    def _room_for(self, target: AssetPath, size: int) -> Iterator[None]:
        self.room.check(0, to_come=size)
        self.quota.hold(target.owner or "", size)
        try:
            yield
        finally:
            self.quota.release(target.owner or "", size)

    def _keep_origin(self, source: AssetPath, target: AssetPath, *, gone: bool = False) -> None:
        """Take the record of an asset's origin along; without it the change is still done."""
        try:
            origin = self.publications.origin(source)
            if origin is not None:
                self.publications.write_origin(target, origin)
                if gone:
                    self.publications.forget_origin(source, origin.by)
        except PublicError as error:
            log.warning("the origin of %s is not recorded: %s", ascii(str(target)), error.code)

    def _size(self, path: AssetPath, ref: str | None = None) -> int:
        about = self.backend.about(path, ref)
        if about.type is EntryType.BLOB:
            return about.size
        return sum(found.size for found in self.backend.walk(path, ref))

    # --- the trash --------------------------------------------------------------------

    def delete(self, user: User, text: str) -> Trashed:
        """Put something into the trash; a published version only by who published it, or an administrator."""
        path = parse_path(text)
        with self._common:
            publication = self._own_publication(user, path)
            if publication is None:
                self.allow(user, path, write=True)
            else:
                self.publications.write(replace(publication, withdrawn=True), again=True)
            trashed = self.backend.delete(path, user.name)
        self._done(user, "delete", path)
        return trashed

    def restore(self, user: User, trash_id: str) -> AssetPath:
        """Bring something back; raises NoSuchTrash, Exists, Frozen."""
        path = self._trashed(user, trash_id).path
        with self._common:
            publication = self._own_publication(user, path)
            if publication is None:
                self.allow(user, path, write=True)
            self.backend.restore(trash_id, user.name)
            if publication is not None:
                self.publications.write(replace(publication, withdrawn=False), again=True)
        self._done(user, "restore", path)
        return path

    def _own_publication(self, user: User, path: AssetPath) -> Publication | None:
        """Give the published version that a path is, if this person may withdraw it; raises what access raises."""
        found = self.publications.find(path)
        if found is None or path != found.path or not (user.admin or (found.signed and found.by == user.name)):
            return None
        self.access.check(user, path, write=True)
        return found

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
        ending = "" if is_folder else split_ending(own_name)[1]
        if not name.lower().endswith(ending.lower()):
            name += ending
        target = parse_path(f"{COMMON}/{category}/{versioned_name(name, version, folder=is_folder)}")
        origin = self.publications.origin(source)
        size = self._size(source)
        wish = Wish(frozen=True, most_bytes=size)
        with self._room_for(target, size), prepared_copy(self.backend, source, wish) as copy:
            publication = Publication(
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
            with self._common:
                self._place_publication(user, copy.aside, publication)
            self._done(user, "publish", target, f"from {source}")
        self.audit.record(user.name, "publish", source, f"as {target}")
        return target

    def _place_publication(self, user: User, aside: Path, publication: Publication) -> None:
        """Write the manifest, then place what it describes: whatever appears under the name is frozen already.

        A process that dies in between leaves a manifest without content, which the next try writes again.
        """
        self.access.check(user, publication.path, write=True)
        before = self.publications.find(publication.path)
        there = self._is_there(publication.path)
        if there or (before is not None and before.withdrawn):
            raise Exists(
                f"Version {publication.version} of '{publication.name}' "
                + ("stands in 'common' already." if there else "was withdrawn, and its number is not given again."),
                "Count it up.",
            )
        self.publications.write(publication, again=before is not None)
        self.backend.place(aside, publication.path, user.name)

    def _is_there(self, path: AssetPath) -> bool:
        try:
            self.backend.about(path)
        except AssetNotFound:
            return False
        return True

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
        self.audit.record(user.name, "download", path, f"folder of {len(found)} entries")
        return found

    def _done(self, user: User, action: str, path: AssetPath, detail: str = "") -> None:
        self.audit.record(user.name, action, path, detail)
        self.changed(path)


def _check_place(path: AssetPath) -> None:
    """Refuse to put something where no page and no search would ever show it; raises PathRefused."""
    if path.category is None:
        raise PathRefused(
            f"'{path}' would be in none of the five categories.",
            f"Put it below {path.owner}/" + f", {path.owner}/".join(Category) + ".",
        )


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
