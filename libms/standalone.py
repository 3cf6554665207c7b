"""The library by itself: `python -m libms --config FILE`, as in other installations of the DTaaS world.

FILE is YAML or `NAME=value` lines. The environment's names of that world are
taken too, and win over the file. Without `HUB_URL` nobody is asked who they
are: whoever reaches the port may do everything, so it is only ever opened on
loopback, and only for requests that name a loopback host, as a web page could
otherwise rebind its own name to 127.0.0.1 and read everything.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from pydantic import Field, ValidationError, field_validator
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from libms.app import HEALTH, Parts, build, refusal
from libms.backend import Backend
from libms.backends import Remote, make_repository, open_git, open_gitlab
from libms.disk.storage import DiskBackend, Folders
from libms.playground import Playground
from twinhub.errors import Forbidden, SettingsError
from twinhub.names import SCOPE_LIBRARY_READ, SCOPE_LIBRARY_WRITE, Category
from twinhub.secrets import ensure_secret, read_secret
from twinhub.settings import Library, Section
from twinhub.signin import User

ANYBODY: Final = User("anonymous", True, frozenset({SCOPE_LIBRARY_READ, SCOPE_LIBRARY_WRITE}), "")
"""Who asks where nobody is asked who they are."""
LINE: Final = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_-]*)\s*=\s*(.*?)\s*")
STATE: Final = ".libms"
"""Folder below the local path for what is not an asset: uploads under way, trash, index, log."""

log = logging.getLogger("libms")


class RepositoryAddress(Section):
    """One owner's repository in the file's own words."""

    repo_url: str = Field(alias="repo-url")
    branch: str = "main"
    secret: Path | None = None
    """File of mode 0600 that holds 'user:token'."""


class Standalone(Section):
    """What the file and the environment may say; the names in capitals are those of the environment."""

    address: str = "127.0.0.1"
    port: int = Field(4001, ge=1, le=65535)
    mode: Literal["local", "git", "gitlab"] = "local"
    local_path: Path = Path("files")
    gitlab_url: str | None = None
    gitlab_group: str | None = None
    token: str | None = Field(None, repr=False)
    git_repos: tuple[dict[str, RepositoryAddress], ...] = ()
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    apollo_path: str = Field("/lib", pattern=r"^(/[A-Za-z0-9._/-]*)?$")
    graphql_playground: bool = True
    hub_url: str | None = None
    """Address of a JupyterHub that tells who a token belongs to."""
    library: Library = Library()

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, value: Any) -> Any:
        lowered = value.lower() if isinstance(value, str) else value
        return "warning" if lowered == "warn" else lowered


def read_standalone(file: Path | None, environment: Mapping[str, str]) -> Standalone:
    """Read the file and the environment; raises SettingsError naming key, value and what is allowed."""
    raw = _read_file(file) if file else {}
    for name in Standalone.model_fields:
        given = environment.get(name.upper())
        if given is not None and name not in ("library", "git_repos", "address"):
            raw[name] = given
    limits = {
        name: raw.pop(name)
        for name in list(raw)
        if name in Library.model_fields and name not in Standalone.model_fields
    }
    if limits:
        raw["library"] = {**(raw.get("library") or {}), **limits}
    source = str(file) if file else "the environment"
    try:
        settings = Standalone.model_validate(raw)
    except ValidationError as error:
        raise SettingsError(" ".join(_explain(one, source) for one in error.errors()), f"Correct {source}.") from error
    _check(settings)
    return settings


def _read_file(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}.", "Check its name, owner and encoding.") from error
    raw = _parse_lines(text)
    if raw is not None:
        raw = _known(raw, file)
    else:
        try:
            raw = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise SettingsError(f"{file} is neither NAME=value lines nor YAML.", "Correct the file.") from error
    if not isinstance(raw, dict):
        raise SettingsError(f"{file} holds no keys and values.", "Write NAME=value lines, or YAML.")
    if raw.get("token") and file.stat().st_mode & 0o077:
        log.warning("%s holds a token and can be read by other accounts: chmod 600 it", file)
    return {str(key).lower().replace("-", "_"): value for key, value in raw.items()}


def _known(raw: dict[str, Any], file: Path) -> dict[str, Any]:
    """Leave out names that mean nothing here, such as those for other programs of the same installation."""
    names = {*Standalone.model_fields, *Library.model_fields}
    for name in raw.keys() - names:
        log.warning("%s: %s means nothing to the library", file, name.upper())
    return {name: value for name, value in raw.items() if name in names}


def _parse_lines(text: str) -> dict[str, Any] | None:
    """Read NAME=value lines, quoted or not; None where it is something else."""
    found: dict[str, Any] = {}
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = LINE.fullmatch(line)
        if match is None:
            return None
        value = match[2]
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
        found[match[1].lower()] = value[1:-1] if quoted else value.partition(" #")[0].rstrip()
    return found


def _explain(problem: Any, source: str) -> str:
    key = ".".join(str(part) for part in problem["loc"]).upper()
    if problem["type"] == "extra_forbidden":
        allowed = ", ".join(name.upper() for name in Standalone.model_fields)
        return f"{source}: unknown key '{key}'. Allowed: {allowed}."
    shown = "(not shown)" if "TOKEN" in key else repr(problem["input"])
    return f"{source}: '{key}' is {shown}. {problem['msg']}."


def _check(settings: Standalone) -> None:
    if settings.hub_url is None and not _is_loopback(settings.address):
        raise SettingsError(
            f"ADDRESS is '{settings.address}', and nobody would be asked who they are.",
            "Use 127.0.0.1, or set HUB_URL to a JupyterHub that signs people in.",
        )
    if settings.mode == "gitlab" and not (settings.gitlab_url and settings.gitlab_group and settings.token):
        raise SettingsError(
            "MODE is 'gitlab', and GITLAB_URL, GITLAB_GROUP or TOKEN is missing.", "Set all three; TOKEN of scope api."
        )
    if settings.mode == "local" and not settings.local_path.is_dir():
        raise SettingsError(f"LOCAL_PATH is '{settings.local_path}', which is no folder.", "Make it, or name another.")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def create_standalone(settings: Standalone) -> ASGIApp:
    """Build the service that these settings describe."""
    state = settings.local_path.absolute() / STATE
    folders = Folders(settings.local_path.absolute(), state / "uploads", state / "trash")
    for folder in (state, folders.staging, folders.trash):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = state / "signing-key"
    ensure_secret(key)
    backend = _open(settings, folders, state)
    files = folders.files if settings.mode == "local" else None
    signed_in = settings.hub_url is not None
    parts = Parts(backend, settings.library, state, files, read_secret(key).encode(), open_owners=not signed_in)
    library = build(parts, None, graphiql=False)
    if settings.graphql_playground:
        library = Playground(library)
    known = Everybody(library) if settings.hub_url is None else _behind_hub(library, settings.hub_url)
    return AtPath(known, settings.apollo_path.rstrip("/"))


def _behind_hub(library: ASGIApp, hub_url: str) -> ASGIApp:
    """Ask a hub who a token belongs to. There are no pages here, so no browser's session is ever opened."""
    from twinhub.signin import HubClient, Sessions, SignIn  # noqa: PLC0415 - 10 MB that nobody else needs

    sessions = Sessions(secrets.token_hex(32))
    return SignIn(library, client=HubClient(hub_url), sessions=sessions, open_paths=(HEALTH,))


def _open(settings: Standalone, folders: Folders, state: Path) -> Backend:
    library = settings.library
    remote = Remote(folders, state / "git", library.trash_days, library.refresh_s)
    if settings.mode == "git":
        named = {owner: one for group in settings.git_repos for owner, one in group.items()}
        repositories = {owner: make_repository(one.repo_url, one.branch, one.secret) for owner, one in named.items()}
        return open_git(remote, repositories)
    if settings.mode == "gitlab":
        return open_gitlab(
            remote,
            (settings.gitlab_url or "").removesuffix("/api/graphql"),
            settings.gitlab_group or "",
            settings.token or "",
        )
    return DiskBackend(folders, trash_days=library.trash_days, make_owner=lambda owner: _make(folders.files / owner))


def _make(folder: Path) -> None:
    for category in Category:
        (folder / category).mkdir(parents=True, exist_ok=True)


class Everybody:
    """Let everybody in who names a loopback host: nobody is asked who they are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            host = Headers(scope=scope).get("host", "localhost")
            if not _is_loopback(host.rpartition(":")[0].strip("[]") or host) and not _is_loopback(host):
                error = Forbidden("This library answers to programs on its own machine only.", "Ask 127.0.0.1.")
                await refusal(error)(scope, receive, send)
                return
            if scope["method"] not in ("GET", "HEAD", "OPTIONS") and _is_foreign(Headers(scope=scope), host):
                error = Forbidden("This change was asked for by a page of another site.", "Use a program.")
                await refusal(error)(scope, receive, send)
                return
            scope.setdefault("state", {})["user"] = ANYBODY
        await self._app(scope, receive, send)


def _is_foreign(headers: Headers, host: str) -> bool:
    """Tell whether a browser says that a page of another site is asking; programs say nothing."""
    origin = headers.get("origin")
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return True
    return origin is not None and origin.partition("://")[2] != host


class AtPath:
    """Serve /lib below another path, as APOLLO_PATH of that world says; everything else stays where it is."""

    def __init__(self, app: ASGIApp, path: str) -> None:
        self._app = app
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        here = (self._path, self._path + "/") if self._path else ("/",)
        if self._path != "/lib" and scope["type"] == "http" and scope["path"] in here:
            scope = {**scope, "path": "/lib", "raw_path": b"/lib"}
        await self._app(scope, receive, send)
