"""Where an owner's repository is, and what git may know and do on the way there."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from libms.errors import BackendUnreachable
from twinhub.errors import SettingsError

_SCP: Final = re.compile(r"(?!-)[A-Za-z0-9._-]+@(?!-)[A-Za-z0-9._-]+:(?!-|:)[^\s]+")
"""user@host:path, as people copy it from a forge."""
_BRANCH: Final = re.compile(r"(?![-/.])(?!.*(?:\.\.|//|/\.|@\{|\.lock(?:/|$)))[^\x00-\x20\x7f~^:?*\[\\]+(?<![/.])")

QUIET: Final[Mapping[str, str]] = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS": "",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
}
"""No questions, no configuration of the host, and no objects that stand for others."""

SETTINGS: Final[Mapping[str, str]] = {
    "core.hooksPath": "/dev/null",
    "core.bigFileThreshold": "32m",  # larger ones are streamed, never held in memory
    "credential.helper": "",
    "gc.autoDetach": "false",
    "http.followRedirects": "false",  # a redirect would take the password to another server
    "http.lowSpeedLimit": "1",
    "http.lowSpeedTime": "120",
    "i18n.commitEncoding": "utf-8",
    "pack.windowMemory": "64m",
    "submodule.recurse": "false",
}


@dataclass(frozen=True)
class GitRepository:
    """One owner's repository; raises SettingsError for an address that git must not be given."""

    url: str
    """https://…, http://…, ssh://…, user@host:path, file://… or an absolute path; never with a password."""
    branch: str = "main"
    secret: Path | None = None
    """A file of mode 0600 that holds `user:token`, for https and http."""
    ssh_key: Path | None = None
    """A private key without a passphrase, for ssh. The server's own key is remembered at the first contact."""

    def __post_init__(self) -> None:
        fix = "Give https://HOST/PATH.git, ssh://USER@HOST/PATH.git, USER@HOST:PATH.git, or file:///PATH."
        parts = urlsplit(self.url) if "://" in self.url else None
        if parts is not None and (parts.password is not None or (parts.username and parts.scheme != "ssh")):
            raise SettingsError(
                "A repository's address holds a user name or password.", "Put 'user:token' into the secret file."
            )
        if any(ord(character) < 33 for character in self.url) or not self.scheme:
            raise SettingsError(f"'{self.url}' is no address of a repository.", fix)
        if parts is not None and parts.scheme != "file" and (parts.hostname or "-").startswith("-"):
            raise SettingsError(f"'{self.url}' names no host.", fix)
        if not _BRANCH.fullmatch(self.branch):
            raise SettingsError(f"'{self.branch}' cannot be a branch's name.", "The usual one is 'main'.")

    @property
    def scheme(self) -> str:
        """The one protocol that git may speak for it; empty for an address that is not allowed."""
        if self.url.startswith("/"):
            return "file"
        scheme = self.url.partition("://")[0] if "://" in self.url else ""
        if scheme in {"https", "http", "ssh", "file"}:
            return scheme
        return "ssh" if _SCP.fullmatch(self.url) else ""

    def environment(self, owner: str, known_hosts: Path) -> dict[str, str]:
        """Give what git needs to speak to the repository; what is secret stays out of arguments and files."""
        settings = dict(SETTINGS)
        if self.secret is not None:
            token = base64.b64encode(_read_secret(owner, self.secret)).decode("ascii")
            settings[f"http.{self.url}.extraHeader"] = f"Authorization: Basic {token}"
        return {
            **QUIET,
            **dict(_numbered(settings)),
            "GIT_ALLOW_PROTOCOL": self.scheme,
            "GIT_SSH_VARIANT": "ssh",
            "GIT_SSH_COMMAND": shlex.join(self._ssh(known_hosts)),
        }

    def _ssh(self, known_hosts: Path) -> Iterator[str]:
        yield "ssh"
        options = {
            "BatchMode": "yes",
            "ConnectTimeout": "15",
            "ServerAliveInterval": "15",
            "StrictHostKeyChecking": "accept-new",
            "UserKnownHostsFile": str(known_hosts),
        }
        for name, value in options.items():
            yield from ("-o", f"{name}={value}")
        if self.ssh_key is not None:
            yield from ("-o", "IdentitiesOnly=yes", "-i", str(self.ssh_key))


def local_environment() -> dict[str, str]:
    """Give what git needs inside a mirror, where it may not speak to anybody."""
    return {**QUIET, **dict(_numbered(SETTINGS)), "GIT_ALLOW_PROTOCOL": "none"}


def _numbered(settings: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield "GIT_CONFIG_COUNT", str(len(settings))
    for number, (key, value) in enumerate(settings.items()):
        yield f"GIT_CONFIG_KEY_{number}", key
        yield f"GIT_CONFIG_VALUE_{number}", value


def _read_secret(owner: str, file: Path) -> bytes:
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise BackendUnreachable(
            f"The password for the repository of '{owner}' cannot be read.",
            "An administrator must put 'user:token' into the secret file that the configuration names.",
        ) from error
    secret = lines[0].strip() if lines else b""
    # Forges take any user name beside a token.
    return secret if b":" in secret else b"oauth2:" + secret
