"""Files in and out: whole or not at all, inside the owner's folder or not at all."""

import asyncio
import io
import os
import zipfile
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from libms.app import Parts, make_services
from libms.disk.storage import open_disk
from libms.errors import DiskFull, Incomplete, PathRefused, QuotaExceeded
from libms.paths import parse_path
from libms.uploads import Uploads
from twinhub.errors import TooLarge
from twinhub.places import Places
from twinhub.settings import Library, Settings
from twinhub.signin import User


def test_a_file_goes_in_and_comes_out(alice: TestClient, places: Places) -> None:
    """The library's first job."""
    answer = alice.put("/lib/files/alice/data/new/deep/a%20%C3%BC.bin", content=b"\0\1\2")
    assert answer.status_code == 201
    assert answer.json()["size"] == 3
    assert (places.files / "alice/data/new/deep/a ü.bin").read_bytes() == b"\0\1\2"
    got = alice.get("/lib/files/alice/data/new/deep/a%20%C3%BC.bin")
    assert got.content == b"\0\1\2"
    assert got.headers["content-disposition"].startswith("attachment")
    assert alice.put("/lib/files/alice/data/new/deep/a%20%C3%BC.bin", content=b"x").status_code == 200
    assert list(places.uploads.glob("put-*")) == []


def test_conditions_keep_people_from_overwriting_each_other(alice: TestClient) -> None:
    """Two people edit one file; the second must be told."""
    address = "/lib/files/common/data/f"
    first = alice.put(address, content=b"1", headers={"If-None-Match": "*"})
    assert first.status_code == 201
    assert alice.put(address, content=b"2", headers={"If-None-Match": "*"}).json()["error"]["code"] == "exists"
    second = alice.put(address, content=b"2", headers={"If-Match": first.headers["etag"]})
    assert second.status_code == 200
    stale = alice.put(address, content=b"3", headers={"If-Match": first.headers["etag"]})
    assert (stale.status_code, stale.json()["error"]["code"]) == (412, "changed")
    assert alice.get(address).content == b"2"


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("PUT", {"If-Match": '"x", TAG'}, 200),
        ("PUT", {"If-Match": "W/TAG"}, 412),
        ("PUT", {"If-None-Match": '"x", TAG'}, 412),
        ("PUT", {"Content-Range": "bytes 0-0/10"}, 400),
        ("DELETE", {"If-Match": '"x"'}, 412),
        ("DELETE", {"If-Match": "TAG"}, 200),
        ("HEAD", {}, 200),
        ("PATCH", {}, 405),
    ],
)
def test_conditions_mean_what_the_standard_says(
    alice: TestClient, method: str, headers: dict[str, str], status: int
) -> None:
    """RFC 9110: lists of tags, strong comparison, and no half of a file in place of the whole."""
    tag = alice.put("/lib/files/alice/data/f", content=b"0123456789").headers["etag"]
    sent = {name: value.replace("TAG", tag) for name, value in headers.items()}
    answer = alice.request(method, "/lib/files/alice/data/f", headers=sent)
    assert answer.status_code == status
    if status == 405:
        assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "PUT", "POST", "DELETE"}
    if status in (400, 412):
        assert alice.get("/lib/files/alice/data/f").text == "0123456789"


def test_a_new_persons_first_request_may_be_an_upload(as_user, places: Places) -> None:
    """Programs do not open a page first."""
    assert as_user("newcomer").put("/lib/files/newcomer/data/f", content=b"x").status_code == 201
    assert (places.files / "newcomer/digital_twins").is_dir()


def test_no_answer_keeps_a_file_open(alice: TestClient) -> None:
    """A client that keeps asking for a range that is not there must not use up the service's descriptors."""
    alice.put("/lib/files/alice/data/f", content=b"0123456789")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for value in ("bytes=999-", "bytes=x", "bytes=0-1,3-4", "bytes=2-"):
        alice.get("/lib/files/alice/data/f", headers={"Range": value})
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_somebody_elses_trash_looks_like_none(alice: TestClient, as_user) -> None:
    """The id of a deleted asset must not tell where it was."""
    as_user("bob").put("/lib/files/bob/data/secret-plan", content=b"x")
    trash_id = as_user("bob").delete("/lib/files/bob/data/secret-plan").json()["restore"]
    foreign, never = alice.post(f"/lib/trash/{trash_id}"), alice.post(f"/lib/trash/{'0' * 24}")
    assert (foreign.status_code, foreign.json()) == (never.status_code, never.json())
    assert as_user("bob").post(f"/lib/trash/{trash_id}").status_code == 200


def test_programs_can_be_run_after_an_upload_and_after_an_edit(alice: TestClient, places: Places) -> None:
    """Browsers send no modes, and a twin's lifecycle program that cannot run is a riddle."""
    script, plain = (places.files / "alice/digital_twins/t/lifecycle/execute", places.files / "alice/data/notes")
    alice.put("/lib/files/alice/digital_twins/t/lifecycle/execute", content=b"#!/bin/sh\necho hi\n")
    alice.put("/lib/files/alice/data/notes", content=b"plain")
    assert (script.stat().st_mode & 0o777, plain.stat().st_mode & 0o777) == (0o755, 0o644)
    plain.chmod(0o755)
    alice.put("/lib/files/alice/data/notes", content=b"edited")
    assert plain.stat().st_mode & 0o777 == 0o755


def test_ranges_and_tags(alice: TestClient) -> None:
    """Downloads resume, and pages do not load twice."""
    alice.put("/lib/files/alice/data/f", content=b"0123456789")
    part = alice.get("/lib/files/alice/data/f", headers={"Range": "bytes=3-5"})
    assert (part.status_code, part.content) == (206, b"345")
    tag = alice.get("/lib/files/alice/data/f").headers["etag"]
    assert alice.get("/lib/files/alice/data/f", headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.png", "image/png"),
        ("a.txt", "text/plain"),
        ("a.html", "text/plain"),
        ("a.svg", "image/svg+xml"),
        ("a.js", "text/plain"),
        ("a.PNG", "image/png"),
    ],
)
def test_only_harmless_types_are_shown_in_place(alice: TestClient, name: str, media_type: str) -> None:
    """Somebody's HTML on our origin could act in the reader's name."""
    alice.put(f"/lib/files/alice/data/{name}", content=b"<script>alert(1)</script>")
    answer = alice.get(f"/lib/files/alice/data/{name}?inline")
    assert media_type in answer.headers["content-type"]
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    shown = answer.headers["content-disposition"].startswith("inline")
    assert shown == (media_type != "octet-stream")


def test_a_listing_has_pages_folders_first(alice: TestClient, places: Places) -> None:
    """Large folders are loaded as people scroll."""
    for name in ("b", "a", "c"):
        (places.files / "alice/data" / name).write_text("xy")
    (places.files / "alice/data/z").mkdir()
    first = alice.get("/lib/files/alice/data?first=2").json()
    assert [(entry["name"], entry["type"], entry["size"]) for entry in first["entries"]] == [
        ("z", "tree", 0),
        ("a", "blob", 2),
    ]
    assert first["total"] == 4
    rest = alice.get(f"/lib/files/alice/data?first=2&after={first['next']}").json()
    assert [entry["name"] for entry in rest["entries"]] == ["b", "c"]
    assert rest["next"] is None
    assert alice.get("/lib/files/alice/data?first=minus").status_code == 400


def test_folders_are_made_moved_deleted_and_restored(alice: TestClient, places: Places) -> None:
    """Whatever is destroyed can be had back."""
    base = "/lib/files/alice/data"
    assert alice.post(f"{base}/new", json={"make": "folder"}).status_code == 201
    assert alice.post(f"{base}/new", json={"make": "folder"}).status_code == 412
    alice.put(f"{base}/new/f", content=b"1")
    assert alice.post(f"{base}/new", json={"move_to": "alice/models/moved"}).status_code == 200
    assert (places.files / "alice/models/moved/f").read_text() == "1"
    trash_id = alice.delete("/lib/files/alice/models/moved").json()["restore"]
    assert not (places.files / "alice/models/moved").exists()
    assert alice.post(f"/lib/trash/{trash_id}").json() == {"path": "alice/models/moved"}
    assert (places.files / "alice/models/moved/f").read_text() == "1"
    assert alice.post(f"/lib/trash/{trash_id}").status_code == 404
    assert [box.name for box in places.trash.iterdir()] == ["reserve"]


def test_nothing_is_ever_replaced_by_a_move_or_a_restore(alice: TestClient) -> None:
    """A slip in a name must not cost a file."""
    base = "/lib/files/alice/data"
    alice.put(f"{base}/a", content=b"a")
    alice.put(f"{base}/b", content=b"b")
    assert alice.post(f"{base}/a", json={"move_to": "alice/data/b"}).status_code == 412
    trash_id = alice.delete(f"{base}/a").json()["restore"]
    alice.put(f"{base}/a", content=b"new")
    assert alice.post(f"/lib/trash/{trash_id}").status_code == 412
    assert alice.get(f"{base}/a").content == b"new"
    assert alice.get(f"{base}/b").content == b"b"


def test_a_folder_cannot_be_moved_into_itself(alice: TestClient, places: Places) -> None:
    """It would vanish."""
    (places.files / "alice/data/a").mkdir()
    assert alice.post("/lib/files/alice/data/a", json={"move_to": "alice/data/a/b"}).status_code == 400


@pytest.mark.parametrize("path", ["alice", "alice/data", "alice/digital twins", "common/models"])
def test_what_everybodys_layout_has_stays(alice: TestClient, path: str) -> None:
    """Workspaces expect the five folders."""
    assert alice.delete(f"/lib/files/{path}").status_code == 400
    assert alice.post(f"/lib/files/{path}", json={"move_to": "alice/data/x"}).status_code == 400
    assert alice.put(f"/lib/files/{path}", content=b"").status_code == 400


def test_a_folder_is_downloaded_as_a_zip_without_links(alice: TestClient, places: Places) -> None:
    """A link in a folder must not bring the host's files along."""
    base = places.files / "alice/data/z"
    (base / "sub").mkdir(parents=True)
    (base / "sub" / "f").write_bytes(os.urandom(300_000))
    (base / "empty").mkdir()
    (base / "old").touch()
    os.utime(base / "old", (0, 0))
    (base / "link").symlink_to("/etc/passwd")
    os.mkfifo(base / "pipe")
    answer = alice.get("/lib/files/alice/data/z?download=zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {"z/empty/", "z/old", "z/sub/", "z/sub/f"}
        assert archive.read("z/sub/f") == (base / "sub" / "f").read_bytes()


ESCAPES = ["..", "../bob", "data/../../bob/data", ".", "data/./x", "a\0b", "x" * 256]
LINKS = ["data/absolute", "data/upwards", "data/chain"]


def send(client: TestClient, operation: str, path: str) -> int:
    address = "/lib/files/alice/" + quote(path, safe="/").replace("..", "%2E%2E").replace("/./", "/%2E/")
    address = address[:-1] + "%2E" if address.endswith("/.") else address
    match operation:
        case "list" | "read":
            return client.get(address).status_code
        case "zip":
            return client.get(f"{address}?download=zip").status_code
        case "write":
            return client.put(f"{address}/f" if path in LINKS else address, content=b"evil").status_code
        case "make":
            return client.post(f"{address}/d" if path in LINKS else address, json={"make": "folder"}).status_code
        case "rename":
            return client.post("/lib/files/alice/data/mine", json={"move_to": f"alice/{path}/x"}).status_code
        case "delete":
            return client.delete(f"{address}/secret" if path in LINKS else address).status_code
    raise AssertionError(operation)


@pytest.mark.parametrize("operation", ["list", "read", "zip", "write", "make", "rename", "delete"])
@pytest.mark.parametrize("path", ESCAPES + LINKS)
def test_no_operation_leaves_the_owners_folder(alice: TestClient, places: Places, operation: str, path: str) -> None:
    """One person's files are nobody else's, whatever the path."""
    secret = places.files / "bob" / "data" / "secret"
    secret.write_text("secret")
    data = places.files / "alice" / "data"
    (data / "mine").write_text("mine")
    (data / "absolute").symlink_to(secret.parent)
    (data / "upwards").symlink_to("../../bob/data")
    (data / "chain").symlink_to("upwards")
    before = sorted(str(file.relative_to(places.files)) for file in places.files.rglob("*"))
    status = send(alice, operation, path)
    assert 400 <= status < 500
    assert sorted(str(file.relative_to(places.files)) for file in places.files.rglob("*")) == before
    assert secret.read_text() == "secret"
    assert (data / "mine").read_text() == "mine"


def test_links_that_stay_inside_work(alice: TestClient, places: Places) -> None:
    """Engineers link large data into several twins."""
    data = places.files / "alice" / "data"
    (data / "real").write_text("content")
    (data / "link").symlink_to("real")
    assert alice.get("/lib/files/alice/data/link").text == "content"


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
def test_any_text_is_a_path_inside_or_refused(text: str) -> None:
    """No input makes a path that climbs."""
    try:
        path = parse_path(text)
    except PathRefused:
        return
    for name in (path.owner or "x", *path.names):
        assert name not in ("", ".", "..")
        assert "/" not in name
        assert "\0" not in name


@pytest.mark.parametrize("operation", ["list", "write", "make", "delete"])
def test_somebody_elses_folder_looks_missing(alice: TestClient, places: Places, operation: str) -> None:
    """Nobody learns who else is here."""
    (places.files / "bob/data/secret").write_text("secret")

    def answer(owner: str) -> tuple[int, str]:
        address = f"/lib/files/{owner}/data/secret"
        sent = {
            "list": lambda: alice.get(address),
            "write": lambda: alice.put(address, content=b"x"),
            "make": lambda: alice.post(address, json={"make": "folder"}),
            "delete": lambda: alice.delete(address),
        }[operation]()
        return sent.status_code, sent.text.replace(owner, "OWNER")

    assert answer("bob") == answer("ghost")
    assert answer("bob")[0] == 404


def test_a_read_only_token_cannot_write(as_user) -> None:
    """Programs get only what they need."""
    reader = as_user("alice", scopes=frozenset({"custom:library:read"}))
    assert reader.get("/lib/files/alice/data").status_code == 200
    assert reader.put("/lib/files/alice/data/f", content=b"").status_code == 403
    assert reader.delete("/lib/files/alice/data/f").status_code == 403


def test_a_person_without_a_folder_gets_one(as_user, places: Places) -> None:
    """The Library works before the first workspace."""
    assert as_user("carol").get("/lib/files/carol").json()["total"] == 5
    assert (places.files / "carol" / "models").is_dir()


def receive(places: Places, body: bytes, announced: int) -> None:
    """Put a body into alice's data as PUT does."""

    async def chunks():
        yield body

    parts = Parts(open_disk(places), places.settings.library, places.library, places.files, b"key")
    uploads = Uploads(make_services(parts).assets)
    user = User("alice", False, frozenset({"custom:library:write"}), "")
    asyncio.run(uploads.receive(user, parse_path("alice/data/f"), chunks(), announced=announced, replace=True))


@pytest.mark.parametrize(
    ("limits", "announced", "refusal", "words"),
    [
        (Library(upload_limit_gb=1, keep_free_mb=0), 2_000_000_000, TooLarge, "1 GB"),
        (Library(keep_free_mb=10**9), 1, DiskFull, "MB left"),
        (Library(quota_gb=0.001, keep_free_mb=0), 1_000_001, QuotaExceeded, "'alice'"),
        (Library(quota_gb=50, quotas_gb={"alice": 0.001}, keep_free_mb=0), 1_000_001, QuotaExceeded, "'alice'"),
    ],
)
def test_too_much_is_refused_before_it_is_stored(
    places: Places, limits: Library, announced: int, refusal: type[Exception], words: str
) -> None:
    """A full disk would stop everybody's work, and a quota counts before the first byte."""
    with pytest.raises(refusal, match=words):
        receive(Places(places.data_dir, Settings(library=limits)), b"x", announced)
    assert list(places.uploads.glob("put-*")) == []


def test_a_body_shorter_than_announced_leaves_nothing(places: Places) -> None:
    """A cut upload must not look like a finished one."""
    with pytest.raises(Incomplete):
        receive(places, b"half", 8)
    assert not (places.files / "alice/data/f").exists()
    assert list(places.uploads.glob("put-*")) == []
