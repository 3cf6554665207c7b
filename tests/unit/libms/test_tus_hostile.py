"""Resumable uploads against hostile, mistaken and runaway clients, and a disk that is full."""

import base64
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from libms.upload_store import MOST_UNFINISHED
from tests.support.uploads import BYTES, TUS, Library, pairs, wait_for

# --- hostile ----------------------------------------------------------------------------


@pytest.mark.parametrize("length", ["", "-1", "abc", "1e9", "0x10", "+5", "1_000", "٣", "9" * 30, "1.0"])
def test_lengths_that_are_no_numbers_are_refused(library: Library, length: str) -> None:
    """int() reads more than a number of bytes."""
    headers = {**TUS, "Upload-Metadata": pairs(path="alice/data/x"), "Upload-Length": length.encode()}
    refused = library.http.post("/lib/uploads", headers=headers)
    assert (refused.status_code, refused.headers["tus-resumable"]) == (400, "1.0.0")
    assert library.files() == []


@pytest.mark.parametrize("offset", ["", "-1", "abc", "4", "2", "99999999999", "9" * 30, "3, 3"])
def test_offsets_that_do_not_follow_change_nothing(library: Library, offset: str) -> None:
    """A gap or an overlap would be a damaged file."""
    address = library.address("alice/data/x", 6)
    library.patch(address, 0, b"abc")
    refused = library.patch(address, offset, b"def")
    assert refused.status_code == (409 if offset.isdigit() and len(offset) < 20 else 400)
    assert refused.headers["tus-resumable"] == "1.0.0"
    assert library.head(address).headers["upload-offset"] == "3"


def test_a_length_beyond_the_limit_is_refused(make_library: Callable[..., Library]) -> None:
    """Before the first byte, with the limit's name."""
    refused = make_library(largest=2_000_000_000).begin("alice/data/x", 2_000_000_001)
    assert (refused.status_code, "library.upload_limit_gb" in refused.json()["error"]["fix"]) == (413, True)


def test_a_body_longer_than_announced_writes_nothing_beyond(library: Library) -> None:
    """A file that grows while it is sent, with and without a length in front."""
    address = library.address("alice/data/x", 6)
    assert library.patch(address, 0, b"abcdefGHI").status_code == 413
    assert library.head(address).headers["upload-offset"] == "0"
    assert library.patch(address, 0, iter([b"abcd", b"efGHI"])).status_code == 413
    assert library.head(address).headers["upload-offset"] == "6"
    assert library.stored("alice/data/x") == b"abcdef"


@pytest.mark.parametrize("kind", ["", "text/plain", "multipart/form-data", "application/octet-stream"])
def test_bodies_of_another_kind_are_refused(library: Library, kind: str) -> None:
    """A form that some page posts is not a part of a file."""
    address = library.address("alice/data/x", 6)
    assert library.patch(address, 0, b"abc", Content_Type=kind).status_code == 415
    headers = {**TUS, "Upload-Length": "3", "Upload-Metadata": pairs(path="alice/data/y"), "Content-Type": kind}
    assert library.http.post("/lib/uploads", headers=headers, content=b"abc").status_code == 415
    assert len(library.files()) == 1


@pytest.mark.parametrize("version", [None, "0.2.2", "1.0.1", "x" * 500])
def test_other_versions_are_told_ours(library: Library, version: str | None) -> None:
    """The protocol's own way to negotiate."""
    headers = {} if version is None else {"Tus-Resumable": version}
    for method, address in (("POST", "/lib/uploads"), ("HEAD", "/lib/uploads/x"), ("DELETE", "/lib/uploads/x")):
        refused = library.http.request(method, address, headers=headers)
        assert (refused.status_code, refused.headers["tus-version"]) == (412, "1.0.0")


@pytest.mark.parametrize(
    "metadata",
    [
        "",
        "path",
        "path !!!!",
        "path YQ",
        f"path {base64.b64encode(bytes([0xFF, 0xFE])).decode()}",
        pairs(path="alice/data/../../../etc/passwd"),
        pairs(path="alice/data/a\0b"),
        pairs(path="alice/data/" + "x" * 256),
        pairs(path="alice/" + "x/" * 3000),
        pairs(path="alice"),
        pairs(path="alice/data"),
        pairs(path="/"),
        pairs(path=".."),
        pairs(path="alice/data/x") + "," + pairs(path="alice/data/y"),
        pairs(path="alice/data/x", conflict="overwrite"),
        pairs(path="alice/data/x", sha256="abc"),
        pairs(path="alice/data/x", ifMatch="tag"),
        pairs(path="alice/data/x") + ",,",
        pairs(folder="alice/data", filename="../x"),
        pairs(folder="alice/data", filename=".."),
        pairs(folder="alice/data", filename="a/b"),
        pairs(folder="alice/data"),
        pairs(filename="x"),
        pairs(path="alice/data/x", padding="x" * 20_000),
    ],
)
def test_metadata_that_makes_no_sense_is_refused(library: Library, metadata: str) -> None:
    """Everything a client says about where the file goes is hostile."""
    refused = library.http.post("/lib/uploads", headers={**TUS, "Upload-Length": "3", "Upload-Metadata": metadata})
    assert (refused.status_code, refused.json()["error"]["code"] in ("bad_request", "path_refused")) == (400, True)
    assert (library.files(), library.quota.held("alice")) == ([], 0)


@pytest.mark.parametrize("path", ["bob/data/x", "nobody/data/x", "files/../bob", "Ünknown/data/x"])
def test_other_peoples_folders_are_out_of_reach(library: Library, path: str) -> None:
    """The answer is that of a folder that is not there."""
    assert library.begin(path, 3).status_code in (400, 404)
    assert library.begin("nobody/data/x", 3, person="boss").status_code == 404
    assert library.files() == []


def test_other_peoples_uploads_are_not_there(library: Library) -> None:
    """Knowing an id is not enough, not even for stopping an upload."""
    address = library.address("alice/data/x", 6)
    running = library.half_open(address, 6, b"abc")
    wait_for(lambda: library.tus.active, "the beginning")
    stranger = {**BYTES, "X-Person": "bob", "Upload-Offset": "0"}
    answers = [library.http.request(m, address, headers=stranger).status_code for m in ("HEAD", "PATCH", "DELETE")]
    assert answers == [404, 404, 404]
    running.sendall(b"def")
    assert b" 204 " in running.recv(65536)
    running.close()
    assert library.stored("alice/data/x") == b"abcdef"


@pytest.mark.parametrize(
    "name", ["..", "%2e%2e%2fuploads.sqlite", "uploads.sqlite", "0" * 31, "A" * 32, "0" * 32 + "%00"]
)
def test_ids_are_not_names_of_files(library: Library, name: str) -> None:
    """An id never becomes a path before it is known to be one of ours."""
    for method in ("HEAD", "DELETE", "PATCH"):
        answer = library.http.request(method, f"/lib/uploads/{name}", headers={**BYTES, "Upload-Offset": "0"})
        assert answer.status_code in (404, 405)
    assert (library.folder / "uploads/uploads.sqlite").exists()


def test_tokens_that_only_read_change_nothing(library: Library) -> None:
    """A read token in a notebook must not be able to cancel or write."""
    refused = library.begin("reader/data/x", 3, person="reader")
    assert (refused.status_code, refused.headers["tus-resumable"]) == (403, "1.0.0")


def test_a_runaway_program_is_stopped(library: Library) -> None:
    """10,000 creations by one person do not fill the folder, and others still upload."""
    wish_path = "alice/data/{}"
    for number in range(MOST_UNFINISHED - 1):
        library.store._database.execute(
            "INSERT INTO uploads (id, user, path, length, conflict, metadata, created, expires)"
            " VALUES (?, 'alice', ?, 1, 'refuse', '', 0, ?)",
            (f"{number:032x}", wish_path.format(number), library.now + 100),
        )
    assert library.begin("alice/data/last", 3).status_code == 201
    refused = library.begin("alice/data/x", 3)
    assert (refused.status_code, "1000 unfinished" in refused.json()["error"]["what"]) == (429, True)
    assert library.quota.held("alice") == 3
    assert library.begin("bob/data/x", 3, person="bob").status_code == 201


@pytest.mark.parametrize("method", ["PUT", "TRACE", "PROPFIND"])
def test_unknown_methods_are_answered_in_the_protocols_form(library: Library, method: str) -> None:
    """Every answer carries the version."""
    answer = library.http.request(method, "/lib/uploads", headers=TUS)
    assert (answer.status_code, answer.headers["tus-resumable"]) == (405, "1.0.0")
    assert answer.headers["allow"] == "OPTIONS, POST, GET"


def test_a_method_in_a_header_is_not_a_method(library: Library) -> None:
    """It would get round the XSRF check, which looks at the real one."""
    address = library.address("alice/data/x", 6)
    library.http.post(address, headers={**TUS, "X-HTTP-Method-Override": "DELETE"})
    library.http.head(address, headers={**TUS, "X-HTTP-Method-Override": "DELETE"})
    assert library.head(address).status_code == 200


@pytest.mark.parametrize("header", ["Upload-Defer-Length", "Upload-Concat"])
def test_extensions_that_we_lack_are_refused(library: Library, header: str) -> None:
    """A part of a file must not appear as a file."""
    headers = {**TUS, "Upload-Length": "3", "Upload-Metadata": pairs(path="alice/data/x"), header: "1"}
    assert library.http.post("/lib/uploads", headers=headers).status_code == 400


def test_the_location_is_a_path_whatever_the_headers_say(library: Library) -> None:
    """A forged host would send the bytes elsewhere."""
    headers = {"X-Forwarded-Host": "evil", "X-Forwarded-Proto": "https", "Forwarded": "host=evil", "Host": "evil"}
    headers |= {**TUS, "Upload-Length": "3", "Upload-Metadata": pairs(path="alice/data/x")}
    assert library.http.post("/lib/uploads", headers=headers).headers["location"].startswith("/lib/uploads/")


# --- no room ----------------------------------------------------------------------------

FULL = """
import resource, sys
from pathlib import Path
from tests.support.uploads import Library, Server
server = Server()
library = Library(Path(sys.argv[1]), server)
data = b"x" * 3_000_000
try:
    address = library.address("alice/data/x", len(data))
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))
    full = library.patch(address, 0, data)
    offset = int(library.head(address).headers["upload-offset"])
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    done = library.patch(address, offset, data[offset:])
    print(full.status_code, full.json()["error"]["code"], 0 < offset <= 2_000_000, done.status_code)
    print(library.stored("alice/data/x") == data)
finally:
    library.stop()
    server.stop()
"""


def test_a_full_disk_keeps_what_came_and_goes_on_later(tmp_path: Path) -> None:
    """507 in the middle, and after room was made the rest is all that must be sent."""
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", FULL, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, timeout=60, check=False)
    assert done.stdout.split("\n")[:2] == ["507 disk_full True 204", "True"], done.stderr


def test_the_memory_of_a_large_upload_stays_small(library: Library) -> None:
    """One part of 200 MB in one request, as pages send it."""
    size = 200 * 1024 * 1024
    address = library.address("alice/data/x", size)
    block = bytes(1024 * 1024)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    done = library.patch(address, 0, (block for _ in range(200)))
    assert done.status_code == 204
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) < 60 * 1024
    assert (library.folder / "files/alice/data/x").stat().st_size == size
