"""Which git commit a twin's folder stands at, and whether files differ from it.

The commit is read from .git's own files. Whether files differ, git itself says,
beside the running program, and without a word from the repository's
configuration, whose filters, hooks and monitors are other people's programs:
git gets a folder of ours with nothing but HEAD in it, and the index and the
objects by their addresses.
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

SHA: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
REF: Final = re.compile(r"refs/[^\0\n]{1,1000}")
LARGEST_BYTES: Final = 16 * 1024 * 1024
"""Of packed-refs; a repository with more references than that is nobody's twin."""

OWN_FILES: Final = ("HEAD", "config", "info/exclude", "changes", "refs", "info", "objects", "")
"""In the order in which they are removed again."""


class Checkout(NamedTuple):
    """A work tree and the folders of its repository."""

    top: Path
    own: Path
    """Where HEAD and the index are."""
    common: Path
    """Where objects and references are; another than `own` for a linked work tree."""


def find_checkout(folder: Path, highest: Path) -> Checkout | None:
    """Find the work tree that a folder belongs to, not looking above `highest`."""
    for top in (folder, *folder.parents):
        git = top / ".git"
        if git.is_dir():
            return Checkout(top, git, git)
        if git.is_file():
            own = (top / _read(git, 4096).removeprefix("gitdir:").strip()).resolve()
            common = own / "commondir"
            return Checkout(top, own, (own / _read(common, 4096).strip()).resolve() if common.is_file() else own)
        if top == highest:
            return None
    return None


def read_commit(checkout: Checkout) -> str | None:
    """Give the commit that is checked out; None before the first one."""
    head = _read(checkout.own / "HEAD", 4096).strip()
    if not head.startswith("ref:"):
        return head if SHA.fullmatch(head) else None
    ref = head.removeprefix("ref:").strip()
    if not REF.fullmatch(ref) or ".." in ref:
        return None
    for folder in (checkout.own, checkout.common):
        sha = _read(folder / ref, 4096).strip()
        if SHA.fullmatch(sha):
            return sha
    for line in _read(checkout.common / "packed-refs", LARGEST_BYTES).splitlines():
        sha, _, name = line.partition(" ")
        if name == ref and SHA.fullmatch(sha):
            return sha
    return None


def _read(file: Path, limit: int) -> str:
    """Read a small ordinary file; '' for anything else."""
    with suppress(OSError):
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                return stream.read(limit).decode("utf-8", "surrogateescape")
    return ""


class CommitLook:
    """One look at a twin's folder; `begin` starts git, and whoever collects its end calls `finish`."""

    def __init__(self, twin_folder: Path, workspace: Path, scratch: Path) -> None:
        self._folder = twin_folder
        self._scratch = scratch
        self._checkout = find_checkout(twin_folder, workspace)
        self._sha = read_commit(self._checkout) if self._checkout is not None else None

    def begin(self) -> int | None:
        """Start git; give its process number, None where there is nothing to ask."""
        if self._sha is None or self._checkout is None:
            return None
        try:
            self._make_scratch(self._sha, self._checkout)
            return os.posix_spawnp(
                "git",
                [
                    *("git", "--no-optional-locks", "--no-replace-objects", "-c", "core.fsmonitor=false"),
                    *("status", "--porcelain", "--untracked-files=normal", "--ignore-submodules=all", "--no-renames"),
                    *("--", str(self._folder)),
                ],
                self._environment(self._checkout),
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, str(self._scratch / "changes"), os.O_WRONLY | os.O_CREAT, 0o600),
                    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                ],
                setsigmask=[],
                setsid=True,
            )
        except OSError:  # no git, no space, no process
            return None

    def finish(self, status: int | None) -> str | None:
        """Give the commit as a record holds it; `status` is git's, None when it did not end in time."""
        if self._sha is None:
            return None
        try:
            changed = (self._scratch / "changes").stat().st_size > 0
        except OSError:
            status, changed = None, False
        for name in OWN_FILES:
            with suppress(OSError):
                file = self._scratch / name
                file.rmdir() if file.is_dir() else file.unlink()
        if status != 0:
            return f"{self._sha}+unknown"
        return f"{self._sha}+changes" if changed else self._sha

    def _make_scratch(self, sha: str, checkout: Checkout) -> None:
        for name in ("refs", "info", "objects"):
            (self._scratch / name).mkdir(parents=True)
        (self._scratch / "HEAD").write_text(f"{sha}\n")
        sha256 = "[extensions]\nobjectFormat = sha256\n" if len(sha) == 64 else ""
        version = 1 if sha256 else 0
        (self._scratch / "config").write_text(f"[core]\nrepositoryFormatVersion = {version}\nbare = false\n{sha256}")
        left_out = _read(checkout.common / "info" / "exclude", 64 * 1024)
        (self._scratch / "info" / "exclude").write_text(
            f"__pycache__/\n{left_out}", encoding="utf-8", errors="surrogateescape"
        )

    def _environment(self, checkout: Checkout) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C",
            "GIT_DIR": str(self._scratch),
            "GIT_WORK_TREE": str(checkout.top),
            "GIT_INDEX_FILE": str(checkout.own / "index"),
            "GIT_OBJECT_DIRECTORY": str(checkout.common / "objects"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "XDG_CONFIG_HOME": os.devnull,
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_ALLOW_PROTOCOL": "none",
        }
