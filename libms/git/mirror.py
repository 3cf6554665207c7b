"""A bare copy of one owner's repository: all reading happens here, the network only behind it."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from libms.errors import BackendUnreachable, RefNotFound
from libms.git.commands import Commands, GitFailed, explain
from libms.git.objects import ObjectMissing, Objects
from libms.git.refs import HEADS, TAGS, Snapshot, parse_refs, read_refs
from libms.git.repository import GitRepository
from libms.git.times import Times
from libms.git.trees import EMPTY_TREE
from libms.models import Ref
from twinhub.errors import PublicError

ASK_S: Final = 20.0
"""How long a repository may take to name its branches."""
TRANSFER_S: Final = 4 * 3600.0
AGAIN_AFTER_S: Final = 5.0
"""How long a first copy that failed is not tried again, so that requests do not queue up behind it."""
TIDY_AFTER: Final = 50
COMMIT_ID: Final = re.compile(r"[0-9a-f]{7,40}")

log = logging.getLogger("libms")


class Mirror:
    """One owner's repository; safe for many threads. `lock` is held while speaking to the remote."""

    def __init__(self, folder: Path, owner: str, repository: GitRepository) -> None:
        self.owner = owner
        self.lock = threading.RLock()
        self.commands = Commands(folder)
        self.objects = Objects(self.commands)
        self.times = Times(self.commands, self.objects)
        self._folder = folder
        self._repository = repository
        self._origin = hashlib.sha256(repository.url.encode()).hexdigest()
        self._snapshot: Snapshot | None = None
        self._failed: tuple[float, PublicError] | None = None
        self._changes = 0
        self._held: int | None = None

    # --- reading ----------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Give what was fetched last; copies the repository at the first call. Raises BackendUnreachable."""
        if self._snapshot is None:
            with self.lock:
                if self._snapshot is None:
                    self._snapshot = self._open()
        return self._snapshot

    @property
    def loaded(self) -> Snapshot | None:
        """What was fetched last, None when nobody has asked for it yet."""
        return self._snapshot

    def head(self) -> str | None:
        """Give the commit that is read when nobody names another; raises BackendUnreachable."""
        return self.written(self.snapshot())

    def written(self, snapshot: Snapshot) -> str | None:
        """Give a snapshot's commit to build on; raises BackendUnreachable where the branch is missing."""
        if snapshot.others:
            raise BackendUnreachable(
                f"The git repository of '{self.owner}' has no branch '{self._repository.branch}'.",
                f"An administrator must make it, or name another one: {', '.join(snapshot.others[:5])}.",
            )
        return snapshot.head

    def resolve(self, ref: str) -> str:
        """Give the commit that a branch, a tag or a commit's id names; raises RefNotFound."""
        refs = self.snapshot().refs
        found = refs.get(HEADS + ref) or refs.get(TAGS + ref) or (ref if COMMIT_ID.fullmatch(ref) else None)
        header = self.objects.header(f"{found}^{{commit}}") if found else None
        if header is not None:
            return header.id
        raise RefNotFound(
            f"'{ref[:80]}' is no branch, tag or commit of '{self.owner}'.", "Ask for 'refs' to see what there is."
        )

    def tree(self, commit: str | None) -> str:
        """Give a commit's tree; that of no commit is empty."""
        return EMPTY_TREE if commit is None else self.objects.commit(commit)[0]

    def refs(self) -> list[Ref]:
        """Name branches and tags, each kind sorted by bytes."""
        return self.snapshot().listed()

    # --- the remote -------------------------------------------------------------------

    def refresh(self) -> Snapshot:
        """Fetch what is new; raises BackendUnreachable."""
        with self.lock:
            before = self.snapshot()
            asked = self._ask()
            if asked != before.refs:
                self._fetch(self.commands)
                self._snapshot = read_refs(self.commands, self._repository.branch)
                self._count_change()
            return self._snapshot or before

    def refresh_unless_busy(self) -> None:
        """Fetch what is new, unless somebody does so anyway; raises BackendUnreachable."""
        if self.lock.acquire(blocking=False):
            try:
                self.refresh()
            finally:
                self.lock.release()

    def push(self, commit: str, before: str | None) -> bool:
        """Make a commit the branch's head if the head is still the one before; False when it is not."""
        branch = HEADS + self._repository.branch
        with self.lock:
            try:
                self._remote(
                    "push", "--porcelain", "--no-verify", "--no-recurse-submodules", "--no-signed",
                    f"--force-with-lease={branch}:{before or ''}", "--end-of-options",
                    self._repository.url, f"{commit}:{branch}",
                )  # fmt: skip
            except GitFailed as error:
                if not self._arrived(commit, error):
                    return False
            try:
                self.commands.run("update-ref", "--end-of-options", branch, commit)
            except GitFailed as error:
                # What counts is stored; the next fetch brings the mirror up to it.
                log.warning("the mirror of %s is behind: %s", ascii(self.owner), error)
            snapshot = self.snapshot()
            self._snapshot = replace(snapshot, refs={**snapshot.refs, branch: commit}, head=commit)
            self._count_change()
            return True

    def _arrived(self, commit: str, failed: GitFailed) -> bool:
        """Find out what became of a push that failed: it may have arrived though the answer did not."""
        answer = failed.stdout.decode("utf-8", "replace")
        if "[remote rejected]" in answer and not _LOST_RACE.search(answer):
            raise BackendUnreachable(
                f"The git repository of '{self.owner}' does not accept the change.",
                "An administrator must let the platform's account push to the branch, past its rules and hooks.",
            )
        if "[rejected]" in answer or "[remote rejected]" in answer:
            return False
        try:
            head = self.refresh().head
        except PublicError:
            raise explain(failed, self.owner) from None
        if head is not None and self._contains(head, commit):
            return True
        raise explain(failed, self.owner)

    def _contains(self, head: str, commit: str) -> bool:
        try:
            self.commands.run("merge-base", "--is-ancestor", commit, head)
        except GitFailed:
            return False
        return True

    def contains(self, commit: str) -> bool:
        """Tell whether a commit is part of the branch."""
        head = self.snapshot().head
        return head is not None and self._contains(head, commit)

    def _ask(self, commands: Commands | None = None) -> dict[str, str]:
        asked = ("ls-remote", "--quiet", "--heads", "--tags", "--refs", "--end-of-options", self._repository.url)
        return parse_refs(self._reach(*asked, timeout_s=ASK_S, commands=commands))

    def _fetch(self, commands: Commands) -> None:
        self._reach(
            "fetch", "--quiet", "--prune", "--force", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance",
            "--no-recurse-submodules", "--end-of-options", self._repository.url,
            f"+{HEADS}*:{HEADS}*", f"+{TAGS}*:{TAGS}*", commands=commands,
        )  # fmt: skip

    def _reach(self, *words: str, timeout_s: float = TRANSFER_S, commands: Commands | None = None) -> bytes:
        """Run a command that speaks to the remote; raises BackendUnreachable, DiskFull."""
        try:
            return self._remote(*words, timeout_s=timeout_s, commands=commands)
        except GitFailed as error:
            # Not `from error`: what git printed may hold what nobody should see.
            raise explain(error, self.owner) from None

    def _remote(self, *words: str, timeout_s: float = TRANSFER_S, commands: Commands | None = None) -> bytes:
        environment = self._repository.environment(self.owner, self._folder.parent / "known_hosts")
        return (commands or self.commands).run(*words, environment=environment, timeout_s=timeout_s)

    # --- the copy ---------------------------------------------------------------------

    def _open(self) -> Snapshot:
        if self._failed is not None and time.monotonic() - self._failed[0] < AGAIN_AFTER_S:
            raise self._failed[1]
        try:
            with translated(self):
                self._hold()
                if not self._is_ours():
                    self._clone()
                return read_refs(self.commands, self._repository.branch)
        except PublicError as error:
            self._failed = (time.monotonic(), error)
            raise

    def _is_ours(self) -> bool:
        try:
            return (self._folder / "origin").read_text(encoding="ascii") == self._origin
        except FileNotFoundError:
            return False

    def _clone(self) -> None:
        """Copy the repository beside its place, so that a copy that was interrupted is never taken for one."""
        shutil.rmtree(self._folder, ignore_errors=True)
        aside = self._folder.with_name(f"{self._folder.name}.{secrets.token_hex(4)}.new")
        commands = Commands(aside)
        try:
            commands.run("init", "--quiet", "--bare", "--template=", "--object-format=sha1")
            self._ask(commands)  # says soon, and for an empty repository too, whether it can be reached
            self._fetch(commands)
            (aside / "origin").write_text(self._origin, encoding="ascii")
            aside.rename(self._folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def distrust(self) -> None:
        """Make a new copy at the next start."""
        (self._folder / "origin").unlink(missing_ok=True)

    def _hold(self) -> None:
        """Remove what a dead process left, unless another one works here."""
        if self._held is not None:
            return
        self._folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = self._folder.with_suffix(".lock")
        self._held = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        for stale in [*self._folder.rglob("*.lock"), *self._folder.glob("objects/*/tmp_*")]:
            stale.unlink(missing_ok=True)
        for part in self._folder.parent.glob(f"{self._folder.name}.*.new"):
            shutil.rmtree(part, ignore_errors=True)

    def _count_change(self) -> None:
        """Pack what many small changes left loose; git itself decides whether it is worth it."""
        self._changes += 1
        if self._changes % TIDY_AFTER == 0:
            try:
                self.commands.run("gc", "--auto", "--quiet")
            except GitFailed as error:
                log.warning("the mirror of %s was not tidied: %s", ascii(self.owner), error)

    def close(self) -> None:
        """End the programs that read the mirror."""
        self.objects.close()
        if self._held is not None:
            os.close(self._held)
            self._held = None


@contextmanager
def translated(mirror: Mirror) -> Iterator[None]:
    """Put what goes wrong in a mirror into words for people."""
    try:
        yield
    except GitFailed as error:
        # Not `from error`: what git printed may hold what nobody should see.
        raise explain(error, mirror.owner) from None
    except ObjectMissing as error:
        mirror.distrust()
        raise BackendUnreachable(
            f"The platform's copy of the git repository of '{mirror.owner}' is damaged.",
            "An administrator must start the library again; it then makes a new copy.",
        ) from error


_LOST_RACE: Final = re.compile(
    r"failed to update ref|cannot lock ref|fetch first|incorrect old value|reference already exists|stale info"
    r"|failed to lock|unable to create|non-fast-forward",
    re.IGNORECASE,
)
"""What servers say when somebody else was faster."""
