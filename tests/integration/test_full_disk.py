"""A disk that is really full: reading and deleting go on, writing says why it cannot."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from libms.installed import create_library
from twinhub.names import SCOPE_LIBRARY_WRITE
from twinhub.owners import ensure_owner_folder
from twinhub.places import Places
from twinhub.settings import Library, Settings, Workspaces
from twinhub.signin import Sessions, User

SIZE = "8m"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of a few megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    as_root = [] if os.getuid() == 0 else ["sudo", "-n"]
    options = f"size={SIZE},uid={os.getuid()}"
    subprocess.run([*as_root, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run([*as_root, "umount", "-l", str(folder)], check=True)


@pytest.fixture
def client(small_disk: Path) -> Iterator[TestClient]:
    limits = Library(keep_free_mb=0)
    places = Places(small_disk, Settings(library=limits, workspaces=Workspaces(user_id=os.getuid() or 1)))
    for folder in (places.files, places.trash, places.uploads, places.library, places.secrets):
        folder.mkdir()
    for owner in ("alice", "common"):
        ensure_owner_folder(places, owner)
    library = create_library(places, Sessions("secret"))

    async def signed_in(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["user"] = User("alice", False, frozenset({SCOPE_LIBRARY_WRITE}), "")
        await library(scope, receive, send)

    with TestClient(signed_in, raise_server_exceptions=False) as opened:
        yield opened


def fill(folder: Path) -> None:
    """Write until nothing more fits, as a workspace would."""
    with (folder / "files/alice/data/filler").open("wb", buffering=0) as stream:
        for size in (65536, 4096, 1):
            with suppress(OSError):
                while stream.write(b"x" * size):
                    pass


def test_a_full_disk_stops_writing_and_nothing_else(client: TestClient, small_disk: Path) -> None:
    """People make room by deleting, so that must work; and they must be told why a file was not stored."""
    for number in range(20):
        client.put(f"/lib/files/alice/data/f{number}", content=b"content")
    fill(small_disk)
    refused = client.put("/lib/files/alice/data/new", content=b"x" * 10_000)
    assert (refused.status_code, refused.json()["error"]["code"]) == (507, "disk_full")
    assert client.get("/lib/files/alice/data/f0").text == "content"
    assert client.get("/lib/files/alice/data").json()["total"] == 21
    ids = []
    for number in range(20):
        deleted = client.delete(f"/lib/files/alice/data/f{number}")
        assert deleted.status_code == 200, deleted.text
        ids.append(deleted.json()["restore"])
    assert client.post(f"/lib/trash/{ids[0]}").status_code == 200
    filler = client.delete("/lib/files/alice/data/filler").json()["restore"]
    query = {"query": f'mutation {{ erase(id: "{filler}") }}'}
    assert "errors" not in client.post("/lib", json=query).json()
    assert client.put("/lib/files/alice/data/new", content=b"x" * 10_000).status_code == 201
