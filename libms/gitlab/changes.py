"""Store, move, delete and restore assets: what each change looks at, and what it commits."""

from __future__ import annotations

import shutil
from dataclasses import replace as replaced
from pathlib import Path

from libms.errors import AssetNotFound, BackendUnreachable, Changed, NoSuchTrash, PathRefused, RefNotFound
from libms.gitlab.changing import Changer, changed, exists, plan_replacement, plan_upload, total_size
from libms.gitlab.commits import Change, Committer
from libms.gitlab.contents import Contents
from libms.gitlab.projects import Head, Projects
from libms.gitlab.reading import KEEP, Commit, Reader
from libms.gitlab.trash import TrashRecords
from libms.models import Trashed
from libms.paths import AssetPath


class Changes:
    """The changes that the backend's contract names."""

    def __init__(
        self, projects: Projects, reader: Reader, contents: Contents, *, committer: Committer, trash: TrashRecords
    ) -> None:
        self._projects = projects
        self._reader = reader
        self._contents = contents
        self._committer = committer
        self._trash = trash
        self._changer = Changer(projects, reader, committer)

    def ensure_owner(self, owner: str) -> None:
        """Make a project when there is none; its categories need no commit, as they are always shown."""
        try:
            self._projects.head(AssetPath(owner, ()))
        except AssetNotFound:
            self._projects.project(AssetPath(owner, ()))  # what cannot be an owner stays missing
            self._projects.create(owner)

    def make_folder(self, path: AssetPath, by: str) -> None:
        """Make one folder and those above it."""
        _refuse_unnamed(path)

        def plan(head: Head) -> Change:
            self._changer.refuse_existing(head, path)
            change = Change(f"Make {_quoted(path)}", by)
            change.create(f"{path.inside}/{KEEP}", None)
            return change

        self._changer.commit(path, plan)

    def place(
        self, aside: Path, path: AssetPath, by: str, *, replace: bool = False, if_match: str | None = None
    ) -> None:
        """Put a file or folder from the staging area under its name."""
        refuse_fixed(path)
        _refuse_unnamed(path)
        is_folder = aside.is_dir()

        def plan(head: Head) -> Change:
            here = self._reader.stat(head.commit, path)
            if if_match is not None and (here is None or here.blob is None or f'"{here.blob.oid}"' != if_match):
                raise changed(path)
            change = Change(f"Store {_quoted(path)}", by)
            if here is None:
                plan_upload(change, aside, path)
            elif (replace or if_match is not None) and here.blob is not None and not is_folder:
                plan_replacement(change, aside, here.blob, head.commit.sha)
            else:
                raise exists(path)
            return change

        done = self._changer.commit(path, plan)
        if done is not None and if_match is not None:
            self._give_back(path, if_match, *done)
        shutil.rmtree(aside) if is_folder else aside.unlink()

    def _give_back(self, path: AssetPath, if_match: str, head: Head, parent: str) -> None:
        """Undo a replacement that hit what somebody else had put there in the moment after GitLab's check.

        GitLab compares first and commits then; what comes in between is in the
        commit's parent. Raises Changed.
        """
        if parent == head.commit.sha:
            return
        commit = replaced(head.commit, sha=parent)
        theirs = self._reader.stat(commit, path)
        if theirs is None or theirs.blob is None or f'"{theirs.blob.oid}"' == if_match:
            return
        content = self._contents.content(commit, theirs.blob)

        def plan(now: Head) -> Change | None:
            here = self._reader.stat(now.commit, path)
            if here is None or here.blob is None:
                return None
            change = Change(f"Give {_quoted(path)} back to whoever was faster", "twinhub")
            change.update(path.inside, content, now.commit.sha)
            return change

        self._changer.commit(path, plan)
        raise changed(path)

    def move(self, source: AssetPath, target: AssetPath, by: str) -> None:
        """Rename or move, also to another owner."""
        for path in (source, target):
            refuse_fixed(path)
            _refuse_unnamed(path)
        if target.owner == source.owner and target.names[: len(source.names)] == source.names:
            raise PathRefused(f"'{source}' cannot be moved into itself.", "Choose another target.")
        if source.owner == target.owner:
            self._changer.commit(source, lambda head: self._plan_move(head, source, target, by))
        else:
            self._move_to_other(source, target, by)

    def _plan_move(self, head: Head, source: AssetPath, target: AssetPath, by: str) -> Change:
        here = self._changer.there(head.commit, source)
        self._changer.refuse_existing(head, target)
        change = Change(f"Move {_quoted(source)} to {_quoted(target)}", by)
        for member in self._changer.members(head.commit, source, here):
            change.move(member, target.inside + member.removeprefix(source.inside), head.commit.sha)
        self._changer.keep_parent(head, change, source, target)
        return change

    def _move_to_other(self, source: AssetPath, target: AssetPath, by: str) -> None:
        """Copy to the other project, then delete; what was changed in between is never deleted."""
        head = self._projects.head(source, fresh=True)
        here = self._changer.there(head.commit, source)
        members = self._changer.members(head.commit, source, here)
        before = self._reader.blobs(head.commit, members)
        self._copy(head.commit, source, target, by)

        def plan(now: Head) -> Change:
            if any(blob != before[path] for path, blob in self._reader.blobs(now.commit, members).items()):
                raise changed(source)
            change = Change(f"Move {_quoted(source)} to {target.owner}", by)
            for member in members:
                change.delete(member, head.commit.sha)
            self._changer.keep_parent(now, change, source)
            return change

        try:
            self._changer.commit(source, plan)
        except Changed:
            self._changer.commit(target, lambda now: self._plan_delete(now, target, by))
            raise

    def _copy(self, commit: Commit, source: AssetPath, target: AssetPath, by: str) -> None:
        """Put what a commit has at `source` at `target`, where nothing may be."""
        here = self._changer.there(commit, source)
        blobs = self._reader.blobs(commit, self._changer.members(commit, source, here))
        self._committer.check_size(total_size(blobs), source)
        pairs = [(blob, target.inside + path.removeprefix(source.inside)) for path, blob in sorted(blobs.items())]

        def plan(head: Head) -> Change:
            self._changer.refuse_existing(head, target)
            change = Change(f"Store {_quoted(target)}", by)
            self._changer.copy_files(change, self._contents, commit, pairs)
            return change

        self._changer.commit(target, plan)

    def _plan_delete(self, head: Head, path: AssetPath, by: str) -> Change:
        here = self._changer.there(head.commit, path)
        change = Change(f"Delete {_quoted(path)}", by)
        for member in self._changer.members(head.commit, path, here):
            change.delete(member, head.commit.sha)
        self._changer.keep_parent(head, change, path)
        return change

    def delete(self, path: AssetPath, by: str) -> Trashed:
        """Take something out of the newest state; the history keeps it."""
        refuse_fixed(path)
        _refuse_unnamed(path)
        head = self._projects.head(path, fresh=True)
        here = self._changer.there(head.commit, path)
        blobs = self._reader.blobs(head.commit, self._changer.members(head.commit, path, here))
        record = self._trash.put(path, by, total_size(blobs), head.commit.sha)
        try:
            done = self._changer.commit(path, lambda now: self._plan_delete(now, path, by))
        except BackendUnreachable:
            raise  # it may have been deleted all the same, and then the record is all there is
        except BaseException:
            self._trash.drop(record.trashed.id)
            raise
        if done is not None and done[1] != record.commit:
            self._trash.write(replaced(record, commit=done[1]))
        return record.trashed

    def restore(self, trash_id: str, by: str) -> AssetPath:
        """Put what was deleted back, from the history."""
        record = self._trash.find(trash_id)
        path = record.trashed.path
        try:
            commit = self._projects.commit(path, record.commit)
            self._copy(commit, path, path, by)
        except (AssetNotFound, RefNotFound) as error:
            raise NoSuchTrash(
                f"'{path}' is no longer in the project's history.", "Somebody rewrote it; look for a clone that has it."
            ) from error
        self._trash.drop(trash_id)
        return path


def refuse_fixed(path: AssetPath) -> None:
    """Refuse to move, replace or delete what every owner's layout has."""
    if path.fixed:
        raise PathRefused(f"'{path}' is part of everybody's layout and stays.", "Choose something in it.")


def _refuse_unnamed(path: AssetPath) -> None:
    if not path.names:
        raise PathRefused(f"'{path}' is an owner's folder.", "Name something in it.")
    if KEEP in path.names:
        raise PathRefused(f"'{path}' cannot be stored: '{KEEP}' keeps empty folders.", "Choose another name.")


def _quoted(path: AssetPath) -> str:
    """Give a path for a commit's message, which it must not be able to shape."""
    return "".join(character if character.isprintable() else "�" for character in path.inside)
