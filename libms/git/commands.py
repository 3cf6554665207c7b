"""Run git in a mirror."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from git import Git, GitCommandNotFound

from libms.errors import BackendUnreachable, DiskFull
from libms.git.repository import local_environment
from twinhub.errors import PublicError

LOCAL_S: Final = 600.0
"""How long a command inside a mirror may take: the largest files are compressed in it."""

NOT_INSTALLED: Final = b"git itself is not installed"
GRACE_S: Final = 5.0


class GitFailed(Exception):
    """A git command ended with an error. What it printed is kept for deciding, and never shown or logged."""

    def __init__(self, command: str, status: int, stdout: bytes, stderr: bytes) -> None:
        super().__init__(f"git {command} ended with {status}")
        self.stdout = stdout
        self.stderr = stderr.decode("utf-8", "replace")


class Commands:
    """Git commands in one bare repository; safe for many threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._git = Git(folder.parent)
        self._environment = local_environment()

    def run(
        self,
        command: str,
        *arguments: str,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        timeout_s: float = LOCAL_S,
    ) -> bytes:
        """Run a command to its end and give what it printed; raises GitFailed."""
        process = self.start(command, *arguments, environment=environment, stdin=subprocess.PIPE)
        try:
            stdout, stderr = process.communicate(stdin, timeout=timeout_s)
        except BaseException as error:
            _end(process)
            if isinstance(error, subprocess.TimeoutExpired):
                raise GitFailed(command, -1, b"", b"operation timed out") from None
            raise
        if process.returncode != 0:
            raise GitFailed(command, process.returncode, stdout, stderr)
        return bytes(stdout)

    def start(
        self, command: str, *arguments: str, stdin: Any = subprocess.PIPE, environment: Mapping[str, str] | None = None
    ) -> Any:
        """Start a command; give GitPython's process, which is ended when it is no longer held. Raises GitFailed."""
        try:
            return self._git.execute(
                ["git", f"--git-dir={self.folder}", command, *arguments],
                istream=stdin,
                as_process=True,
                env={**self._environment, **(environment or {})},
                process_group=0,  # so that a helper that hangs is ended together with it
            )
        except GitCommandNotFound as error:
            raise GitFailed(command, 127, b"", NOT_INSTALLED) from error


def _end(process: Any) -> None:
    """End a command and its helpers; git takes its lock files away when it is asked to go."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=GRACE_S)
            return


_REASONS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), reason, fix)
    for pattern, reason, fix in (
        (
            NOT_INSTALLED.decode(),
            "cannot be read without git, which is not installed on the platform's machine",
            "An administrator must install the package 'git'.",
        ),
        (
            r"could not read (Username|Password)|Authentication failed|returned error: 40[13]|Permission denied|Access denied",
            "refuses the platform's sign-in",
            "An administrator must renew the token or key that the configuration names for it.",
        ),
        (
            r"returned error: 30\d|unable to update url base",
            "has moved to another address",
            "An administrator must write the new address into the configuration.",
        ),
        (
            r"returned error: 404|not found|does not appear to be a git repository|does not exist",
            "is not at its address",
            "An administrator must check the address in the configuration, and that the token may see it.",
        ),
        (
            r"certificate|SSL|Host key verification failed",
            "is not the server it claims to be: its certificate or key is not trusted",
            "An administrator must check the server's certificate or key.",
        ),
        (
            r"transport '.*' not allowed|dubious ownership",
            "may not be used by the platform's account",
            "An administrator must check the address and who owns the folder.",
        ),
    )
)
_SILENT: Final = ("does not answer", "Try again later. What was read before can still be read.")


def explain(failed: GitFailed, owner: str) -> PublicError:
    """Put a failure on the way to a repository into words without anything that git printed."""
    if "No space left on device" in failed.stderr or "Disk quota exceeded" in failed.stderr:
        return DiskFull(f"The disk has no room for the repository of '{owner}'.", "Ask an administrator for room.")
    for pattern, reason, fix in _REASONS:
        if pattern.search(failed.stderr):
            return BackendUnreachable(f"The git repository of '{owner}' {reason}.", fix)
    reason, fix = _SILENT
    return BackendUnreachable(f"The git repository of '{owner}' {reason}.", fix)
