"""The library's own application over a temporary folder, with a person put where sign-in puts them."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from libms.app import Parts, make_services
from libms.disk.storage import open_disk
from libms.graphql.context import Services
from libms.installed import create_library
from tests.support.uploads import Library as UploadLibrary
from tests.support.uploads import Server
from twinhub.names import SCOPE_LIBRARY_READ, SCOPE_LIBRARY_WRITE
from twinhub.owners import ensure_owner_folder
from twinhub.places import Places
from twinhub.settings import Library, Settings, Workspaces
from twinhub.signin import Sessions, User

BOTH = frozenset({SCOPE_LIBRARY_READ, SCOPE_LIBRARY_WRITE})
AsUser = Callable[..., TestClient]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    workspaces = Workspaces(user_id=os.getuid() or 1)
    library = Library(listing_limit=100, read_limit_mb=1, keep_free_mb=0)
    made = Places(tmp_path, Settings(workspaces=workspaces, library=library))
    for folder in (made.files, made.trash, made.uploads, made.library, made.secrets):
        folder.mkdir()
    for owner in ("alice", "bob", "common"):
        ensure_owner_folder(made, owner)
    return made


@pytest.fixture
def as_user(places: Places) -> Iterator[AsUser]:
    """Give a client for a person: as_user("alice"), as_user("boss", admin=True)."""
    library = create_library(places, Sessions("secret"))
    opened: list[TestClient] = []

    def make(
        name: str, *, admin: bool = False, scopes: frozenset[str] = BOTH, groups: frozenset[str] = frozenset()
    ) -> TestClient:
        async def signed_in(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("state", {})["user"] = User(name, admin, scopes, "token", groups)
            await library(scope, receive, send)

        client = TestClient(signed_in, raise_server_exceptions=False)
        opened.append(client)
        return client

    yield make
    for client in opened:
        client.close()


@pytest.fixture
def as_group(places: Places) -> Callable[..., TestClient]:
    """Give a client for a person of some groups, where only the group `editors` may change `common`."""
    limits = places.settings.library.model_copy(update={"common_writers": "editors"})
    changed = Places(places.data_dir, places.settings.model_copy(update={"library": limits}))
    library = create_library(changed, Sessions("secret"))

    def make(name: str, *groups: str) -> TestClient:
        async def signed_in(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("state", {})["user"] = User(name, False, BOTH, "token", frozenset(groups))
            await library(scope, receive, send)

        return TestClient(signed_in, raise_server_exceptions=False)

    return make


@pytest.fixture
def services(places: Places) -> Services:
    """Give the rules without HTTP around them."""
    return make_services(Parts(open_disk(places), places.settings.library, places.library, places.files, b"key"))


@pytest.fixture
def alice(as_user: AsUser) -> TestClient:
    return as_user("alice")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Give a real server for what needs sockets."""
    made = Server()
    yield made
    made.stop()


@pytest.fixture
def make_library(tmp_path: Path, server: Server) -> Iterator[Callable[..., UploadLibrary]]:
    made: list[UploadLibrary] = []

    def make(**options: Any) -> UploadLibrary:
        made.append(UploadLibrary(tmp_path, server, **options))
        return made[-1]

    yield make
    for library in made:
        library.stop()


@pytest.fixture
def library(make_library: Callable[..., UploadLibrary]) -> UploadLibrary:
    return make_library()
