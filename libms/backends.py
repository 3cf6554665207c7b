"""Open the backend that the configuration names.

The modules for git and GitLab are imported when they are chosen: their
libraries take 14 MB, and most installations keep assets on disk.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from libms.backend import Backend
from libms.disk.storage import Folders, open_disk
from twinhub.errors import SettingsError
from twinhub.places import Places
from twinhub.secrets import read_secret

if TYPE_CHECKING:
    from libms.git.repository import GitRepository

GITLAB_TOKEN: Final = "gitlab-token"  # noqa: S105 - a file's name


@dataclass(frozen=True)
class Remote:
    """What backends over the network need besides addresses."""

    folders: Folders
    mirrors: Path
    """Where copies of repositories lie."""
    trash_days: int
    refresh_s: float


def open_backend(places: Places) -> tuple[Backend, Path | None]:
    """Open an installation's backend, and name the folder to watch where assets are files of this machine.

    Raises SettingsError, SecretUnreadable.
    """
    library = places.settings.library
    folders = Folders(places.files, places.uploads, places.trash)
    remote = Remote(folders, places.library / "git", library.trash_days, library.refresh_s)
    if library.backend == "git":
        return open_git(remote, {name: _repository(places, name) for name in library.repositories}), None
    if library.backend == "gitlab":
        if not library.gitlab_url or not library.gitlab_group:
            raise SettingsError(
                "'library.backend' is 'gitlab', and 'library.gitlab_url' or 'library.gitlab_group' is empty.",
                "Set both in twinhub.yaml, and put a token of scope api into secrets/gitlab-token.",
            )
        token = read_secret(places.secrets / GITLAB_TOKEN)
        return open_gitlab(remote, library.gitlab_url, library.gitlab_group, token), None
    return open_disk(places), places.files


def _repository(places: Places, owner: str) -> GitRepository:
    given = places.settings.library.repositories[owner]
    secret, ssh_key = (places.secrets / name if name else None for name in (given.secret, given.ssh_key))
    return make_repository(given.url, given.branch, secret, ssh_key)


def make_repository(url: str, branch: str, secret: Path | None, ssh_key: Path | None = None) -> GitRepository:
    """Describe a repository; raises SettingsError for an address that git must not be given."""
    module = importlib.import_module("libms.git.repository")
    repository: GitRepository = module.GitRepository(url, branch=branch, secret=secret, ssh_key=ssh_key)
    return repository


def open_git(remote: Remote, repositories: Mapping[str, GitRepository]) -> Backend:
    """Open one repository per owner; raises SettingsError where there is none."""
    if not repositories:
        raise SettingsError(
            "The library is to keep assets in git, and no repository is named.",
            "Name one per owner: library.repositories, or git-repos.",
        )
    backend: Backend = importlib.import_module("libms.git.backend").GitBackend(
        remote.mirrors,
        remote.folders.staging,
        remote.folders.trash,
        repositories,
        trash_days=remote.trash_days,
        fetch_interval_s=remote.refresh_s,
    )
    return backend


def open_gitlab(remote: Remote, url: str, group: str, token: str) -> Backend:
    """Open the projects of a GitLab group."""
    backend: Backend = importlib.import_module("libms.gitlab.backend").GitLabBackend(
        url,
        group,
        token,
        staging=remote.folders.staging,
        trash=remote.folders.trash,
        trash_days=remote.trash_days,
        poll_s=remote.refresh_s,
    )
    return backend
