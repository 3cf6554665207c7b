"""Changes: planned against the newest commit, sent as one commit, and planned anew when somebody else was faster."""

from __future__ import annotations

import logging
import os
import random
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from libms.access import not_found
from libms.errors import Changed, Exists, PathRefused
from libms.gitlab.client import Missing, Refused
from libms.gitlab.commits import Change, Committer, from_file
from libms.gitlab.contents import Contents
from libms.gitlab.projects import Head, Projects
from libms.gitlab.reading import KEEP, Blob, Commit, Reader, Stat
from libms.models import EntryType
from libms.paths import AssetPath

TRIES: Final = 12
LONGEST_PAUSE_S: Final = 1.0

log = logging.getLogger("libms")

Plan = Callable[[Head], Change | None]
"""Checks what is there now, raising what people should hear, and says what to commit; None for nothing."""


class Changer:
    """Bring changes to GitLab so that none is half done and nobody else's is lost."""

    def __init__(self, projects: Projects, reader: Reader, committer: Committer) -> None:
        self._projects = projects
        self._reader = reader
        self._committer = committer
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def commit(self, path: AssetPath, plan: Plan) -> tuple[Head, str] | None:
        """Commit what is planned; give the head it was planned for and the parent that GitLab gave the commit.

        GitLab refuses a commit when a file was touched after the commit that the
        plan looked at, when a new file is there already, and when two commits come
        at once; each time the plan is made anew, so that it sees what the others did.
        """
        project = self._projects.project(path)
        with self._project_lock(project):
            refused_at: list[str] = []
            for attempt in range(TRIES):
                head = self._projects.head(path, fresh=True)
                if refused_at.count(head.commit.sha) > 1:
                    break  # nobody was faster: it is the change itself that GitLab does not want
                change = plan(head)
                if change is None:
                    return None
                try:
                    return head, self._committer.send(head, change, path)
                except Missing as error:
                    raise not_found(path) from error
                except Refused as error:
                    log.warning("GitLab refused a commit to %s: %s", project, error)
                    refused_at.append(head.commit.sha)
                finally:
                    self._projects.moved(project)
                time.sleep(random.uniform(0.02, 0.1) * min(attempt + 1, 10))  # noqa: S311 (no secret)
        raise PathRefused(
            f"GitLab does not accept the change of '{path}'.",
            "Use another name if it is an unusual one such as '.git'; an administrator finds GitLab's reason in the log.",
        )

    def _project_lock(self, project: str) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(project, threading.Lock())

    # --- parts of plans ---------------------------------------------------------------

    def there(self, commit: Commit, path: AssetPath) -> Stat:
        """Give what stands at a path; raises AssetNotFound."""
        found = self._reader.stat(commit, path)
        if found is None:
            raise not_found(path)
        return found

    def refuse_existing(self, head: Head, path: AssetPath) -> None:
        """Make sure that nothing stands at a path; raises Exists."""
        if self._reader.stat(head.commit, path) is not None:
            raise exists(path)

    def members(self, commit: Commit, path: AssetPath, here: Stat) -> list[str]:
        """Name all files at or below a path; raises PathRefused where there is one that GitLab cannot change."""
        if here.type is EntryType.BLOB:
            if here.blob is None:
                raise _submodule(path)
            return [path.inside]
        below = self._reader.folder(commit, path.inside, recursive=True)
        if below.modules:
            raise _submodule(AssetPath(path.owner, tuple(below.modules[0].split("/"))))
        return sorted(below.blobs)

    def keep_parent(self, head: Head, change: Change, path: AssetPath, coming: AssetPath | None = None) -> None:
        """Keep the folder that something is taken out of, also when it was the last thing in there."""
        parent = path.parent
        if parent.fixed or (coming is not None and coming.names[: len(parent.names)] == parent.names):
            return
        if len(self._reader.folder(head.commit, parent.inside)) == 1:
            change.create(f"{parent.inside}/{KEEP}", None)

    def copy_files(self, change: Change, contents: Contents, source: Commit, pairs: list[tuple[Blob, str]]) -> None:
        """Create files with the content of others; raises PathRefused for links, which GitLab cannot make."""
        for blob, target in pairs:
            if not blob.is_file:
                raise PathRefused(
                    f"'{blob.path}' is a symbolic link, which GitLab's interface cannot make.",
                    f"Bring it back with git, from the commit {source.sha[:12]}.",
                )
            change.create(target, contents.content(source, blob), executable=blob.executable)


def plan_upload(change: Change, aside: Path, path: AssetPath) -> None:
    """Put a file or folder from the staging area into a change; raises PathRefused for what git cannot keep."""
    if not stat.S_ISDIR(aside.lstat().st_mode):
        _upload_file(change, aside, path.inside)
        return
    for folder, folders, files in os.walk(aside):
        inside = "/".join((path.inside, *Path(folder).relative_to(aside).parts))
        if not folders and not files:
            change.create(f"{inside}/{KEEP}", None)
        for name in sorted(files):
            _upload_file(change, Path(folder, name), f"{inside}/{name}")
        for name in folders:
            if Path(folder, name).is_symlink():
                raise _not_kept(f"{inside}/{name}")


def _upload_file(change: Change, file: Path, target: str) -> None:
    mode = file.lstat().st_mode
    if not stat.S_ISREG(mode):
        raise _not_kept(target)
    try:
        target.encode()
    except UnicodeEncodeError as error:
        raise PathRefused(f"The name {target!r} is not valid Unicode.", "Rename it first.") from error
    change.create(target, from_file(file), executable=bool(mode & stat.S_IXUSR))


def plan_replacement(change: Change, aside: Path, here: Blob, known: str) -> None:
    """Put a file from the staging area in another's place, which stays executable when it was."""
    if not here.is_file:
        change.delete(here.path, known)
        _upload_file(change, aside, here.path)
        return
    change.update(here.path, from_file(aside), known)
    if aside.lstat().st_mode & stat.S_IXUSR and not here.executable:
        change.chmod(here.path, executable=True)


def exists(path: AssetPath) -> Exists:
    """Give the one answer for what stands in the way."""
    return Exists(f"'{path}' exists already.", "Choose another name, or delete it first.")


def changed(path: AssetPath) -> Changed:
    """Give the one answer for what was changed meanwhile."""
    return Changed(f"'{path}' was changed by somebody else meanwhile.", "Load it again before saving.")


def total_size(blobs: dict[str, Blob]) -> int:
    """Add up the bytes of files."""
    return sum(blob.size for blob in blobs.values() if blob.is_file)


def _submodule(path: AssetPath) -> PathRefused:
    return PathRefused(
        f"'{path}' is a submodule, which GitLab's interface cannot move or delete.", "Change it with git."
    )


def _not_kept(target: str) -> PathRefused:
    return PathRefused(f"'{target}' is no ordinary file.", "Leave links and special files out.")
