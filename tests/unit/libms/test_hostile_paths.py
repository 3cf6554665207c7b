"""Hostile paths times every operation of GraphQL and of resumable uploads: nothing leaves the owner's folder."""

import base64
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from libms.beneath import has_openat2
from twinhub.places import Places

READS = {
    "list": "listDirectory(path: $p) { repository { __typename } }",
    "read": "readFile(path: $p) { repository { __typename } }",
    "asset": "asset(path: $p) { name text { text } sha256 readme }",
    "compare": "compare(old: $p, new: $p) { summary }",
}
CHANGES = {
    "make": "makeFolder(path: $p) { path }",
    "write": 'writeText(path: $p, text: "evil") { path }',
    "move from": 'move(source: $p, target: "alice/models/stolen") { path }',
    "move to": 'move(source: "alice/data/mine", target: $p) { path }',
    "copy from": 'copy(source: $p, target: "alice/models/stolen") { path }',
    "copy to": 'copy(source: "alice/data/mine", target: $p) { path }',
    "delete": "delete(path: $p) { id }",
    "publish": 'publish(path: $p, version: "1") { path }',
    "take": "take(path: $p) { path }",
}
OPERATIONS = [*READS, *CHANGES, "upload"]
PATHS = [
    "..",
    "alice/../bob/data/secret",
    "alice/data/../../bob/data/secret",
    "../alice/data",
    "/etc/passwd",
    "alice//..//bob/data/secret",
    "alice/data/%2e%2e/%2e%2e/bob/data/secret",
    "alice/data/..%2f..%2fbob",
    "alice/data/..\\..\\bob\\data\\secret",
    "alice/data/\0",
    "alice/data/" + "x" * 256,
    "alice/data/" + "d/" * 2100 + "f",
    "alice-secret/data/f",
    "alice/data/absolute/secret",
    "alice/data/upwards/secret",
    "alice/data/chain/secret",
    "alice/data/root/etc/passwd",
    "alice/data/loop/x",
    "alice/data/pipe/x",
    "bob/data/secret",
    "BOB/data/secret",
    "bo\u0301b/data/secret",
    ".trash/data/f",
    "",
    "/",
]

LITERAL = [path for path in PATHS if "%2" in path or "\\" in path]
"""In JSON these are what they look like: odd names in one's own folder."""


@pytest.fixture
def trap(places: Places) -> Path:
    """Another person's secret, and links of every kind that lead to it."""
    secret = places.files / "bob/data/secret"
    secret.write_text("secret of bob")
    (places.files / "alice-secret/data").mkdir(parents=True)
    (places.files / "alice-secret/data/f").write_text("secret of a name that begins alike")
    data = places.files / "alice/data"
    (data / "mine").write_text("mine")
    (data / "absolute").symlink_to(secret.parent)
    (data / "upwards").symlink_to("../../bob/data")
    (data / "chain").symlink_to("upwards")
    (data / "root").symlink_to("/proc/self/root")
    (data / "loop").symlink_to("loop")
    os.mkfifo(data / "pipe")
    return secret


def send(client: TestClient, operation: str, path: str) -> tuple[bool, str]:
    """Do it; tell whether it was refused, and give all that was answered."""
    if operation == "upload":
        encoded = base64.b64encode(path.encode("utf-8", "surrogatepass")).decode()
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "0", "Upload-Metadata": f"path {encoded}"}
        answer = client.post("/lib/uploads", headers=headers)
        return answer.status_code >= 400, answer.text
    kind, field = ("query", READS[operation]) if operation in READS else ("mutation", CHANGES[operation])
    body: dict[str, Any] = {"query": f"{kind} ($p: String!) {{ {field} }}", "variables": {"p": path}}
    answer = client.post("/lib", json=body)
    return answer.status_code >= 400 or "errors" in answer.json(), answer.text


def state(places: Places) -> dict[str, str]:
    """Give everything that is not alice's."""
    outside = [places.files / "bob", places.files / "alice-secret"]
    return {str(one): one.read_text() for top in outside for one in top.rglob("*") if one.is_file()}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("path", PATHS, ids=lambda path: repr(path[:30]))
def test_no_operation_reaches_what_is_not_ones_own(
    alice: TestClient, places: Places, trap: Path, operation: str, path: str
) -> None:
    """One person's files are nobody else's, whatever the path and the way to it."""
    before = state(places)
    refused, said = send(alice, operation, path)
    assert refused or path in LITERAL or (operation == "list" and path in ("", "/"))
    assert "secret of" not in said
    assert "root:" not in said
    assert str(places.data_dir) not in said
    assert "Reference" not in said, "a failure of ours"
    assert state(places) == before
    assert (places.files / "alice/data/mine").exists() or (operation == "move to" and path in LITERAL)


PARTS = st.sampled_from(
    ["..", ".", "alice", "bob", "common", "data", "models", "mine", "upwards", "root", "", "~", "secret"]
)
ANY = st.text(st.characters(codec="utf-8"), max_size=12)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(PARTS | ANY, max_size=7), st.sampled_from(OPERATIONS))
def test_no_text_at_all_leads_out(
    alice: TestClient, places: Places, trap: Path, parts: list[str], operation: str
) -> None:
    """What nobody thought of."""
    before = state(places)
    _, said = send(alice, operation, "/".join(parts))
    assert "secret of" not in said
    assert "Reference" not in said
    assert state(places) == before


def test_a_folder_that_becomes_a_link_during_the_request_leads_nowhere(
    alice: TestClient, places: Places, trap: Path
) -> None:
    """Between the look and the act, a workspace swaps the folder for a link to somebody else's."""
    data, stop = places.files / "alice/data", threading.Event()
    (data / "real").mkdir()
    (data / "real/secret").write_text("mine too")

    def swap() -> None:
        while not stop.is_set():
            (data / "real").rename(data / "aside")
            (data / "real").symlink_to(trap.parent)
            (data / "real").unlink()
            (data / "aside").rename(data / "real")

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        for _ in range(150):
            for operation in ("asset", "copy from"):
                assert "secret of" not in send(alice, operation, "alice/data/real/secret")[1]
            assert "secret of" not in alice.get("/lib/files/alice/data/real/secret").text
    finally:
        stop.set()
        swapping.join()
    copied = places.files / "alice/models/stolen"
    assert not copied.exists() or copied.read_text() == "mine too"
    assert trap.read_text() == "secret of bob"


def test_the_walk_without_openat2_is_just_as_strict(
    alice: TestClient, places: Places, trap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Older kernels, and engines that filter the call."""
    monkeypatch.setattr("libms.beneath.has_openat2", lambda: False)
    assert has_openat2() in (True, False)
    for path in PATHS:
        for operation in ("asset", "write", "delete", "copy from"):
            refused, said = send(alice, operation, path)
            assert refused or path in LITERAL, (operation, path)
            assert "secret of" not in said
    assert trap.read_text() == "secret of bob"
