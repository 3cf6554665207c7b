"""Resumable uploads over real files: the protocol's rules, checksums, and uploads that break in the middle."""

import hashlib
import os
import threading
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

import httpx2
import pytest

from libms.paths import parse_path
from libms.upload_store import KEEP_S, REMEMBER_S
from tests.support.uploads import BYTES, TUS, Library, digest, pairs, wait_for

# --- the protocol -----------------------------------------------------------------------


def test_a_file_in_two_parts_appears_whole_under_its_name(library: Library) -> None:
    """The ordinary case, for everybody."""
    address = library.address("alice/data/new folder/räder.csv", 10)
    assert address.startswith("/lib/uploads/")
    first = library.patch(address, 0, b"01234")
    assert (first.status_code, first.headers["upload-offset"], first.headers["tus-resumable"]) == (204, "5", "1.0.0")
    assert not (library.folder / "files/alice/data/new folder").exists()
    last = library.patch(address, 5, b"56789")
    assert (last.status_code, last.headers["upload-offset"]) == (204, "10")
    assert last.headers["upload-path"] == "alice/data/new%20folder/r%C3%A4der.csv"
    path = "alice/data/new folder/räder.csv"
    assert last.headers["etag"] == library.backend.about(parse_path(path)).etag
    assert (library.stored(path), library.files(), library.changed) == (b"0123456789", [], [path])
    assert library.events() == [("upload", path, "10 bytes")]
    assert library.quota.held("alice") == 0


def test_options_tell_what_the_server_can(library: Library) -> None:
    """Clients choose by it: extensions, algorithms, the largest file."""
    answer = library.http.options("/lib/uploads")
    assert answer.status_code == 204
    told = {key: answer.headers[f"tus-{key}"] for key in ("version", "resumable", "extension", "max-size")}
    assert told == {
        "version": "1.0.0",
        "resumable": "1.0.0",
        "extension": "creation,creation-with-upload,termination,expiration,checksum",
        "max-size": "1000000000",
    }
    assert answer.headers["tus-checksum-algorithm"] == "sha256,sha1,md5"


def test_head_gives_back_what_the_client_said(library: Library) -> None:
    """A client that lost all but the address goes on from this."""
    address = library.address("alice/data/x", 10, filetype="text/csv")
    answer = library.head(address)
    assert answer.status_code == 200
    assert (answer.headers["upload-offset"], answer.headers["upload-length"]) == ("0", "10")
    assert answer.headers["upload-metadata"] == pairs(path="alice/data/x", filetype="text/csv")
    assert answer.headers["cache-control"] == "no-store"
    expires = parsedate_to_datetime(answer.headers["upload-expires"]).timestamp()
    assert abs(expires - library.now - KEEP_S) < 2


def test_creation_may_bring_the_first_bytes_or_all(library: Library) -> None:
    """Small files in one request instead of two."""
    part = library.begin("alice/data/part", 6, body=b"abc")
    assert (part.status_code, part.headers["upload-offset"]) == (201, "3")
    assert library.patch(part.headers["location"], 3, b"def").headers["upload-path"] == "alice/data/part"
    whole = library.begin("alice/data/whole", 3, body=b"abc")
    assert (whole.status_code, whole.headers["upload-path"]) == (201, "alice/data/whole")
    assert (library.stored("alice/data/part"), library.stored("alice/data/whole")) == (b"abcdef", b"abc")


def test_an_empty_file_is_there_at_once(library: Library) -> None:
    """`__init__.py` has no bytes for a PATCH to bring."""
    answer = library.begin("alice/data/__init__.py", 0)
    assert (answer.status_code, answer.headers["upload-path"]) == (201, "alice/data/__init__.py")
    assert library.stored("alice/data/__init__.py") == b""


def test_folder_and_filename_do_as_well_as_path(library: Library) -> None:
    """Uppy's own names."""
    headers = {**TUS, "Upload-Length": "0", "Upload-Metadata": pairs(folder="alice/data/a", filename="b.txt")}
    assert library.http.post("/lib/uploads", headers=headers).headers["upload-path"] == "alice/data/a/b.txt"


def test_a_lost_last_answer_can_be_asked_for(library: Library) -> None:
    """The connection broke between our rename and the client's ear."""
    address = library.address("alice/data/x", 3)
    done = library.patch(address, 0, b"abc")
    asked = library.head(address)
    assert (asked.headers["upload-offset"], asked.headers["upload-path"]) == ("3", "alice/data/x")
    assert asked.headers["etag"] == done.headers["etag"]
    assert library.patch(address, 3).headers["upload-path"] == "alice/data/x"
    assert library.patch(address, 3, b"more").status_code == 413
    assert library.patch(address, 3, iter([b"more"])).status_code == 413
    library.restart()
    assert library.head(address).headers["upload-path"] == "alice/data/x"


def test_the_list_shows_what_can_be_gone_on_with(library: Library) -> None:
    """The page offers it after a reload, to this person alone."""
    address = library.address("alice/data/x", 10)
    library.patch(address, 0, b"abc")
    library.begin("alice/data/done", 0)
    library.begin("bob/data/his", 10, person="bob")
    answer = library.http.get("/lib/uploads")
    (listed,) = answer.json()["uploads"]
    assert (listed["path"], listed["length"], listed["offset"]) == ("alice/data/x", 10, 3)
    assert (listed["address"], f"/lib/uploads/{listed['id']}") == (address, address)
    assert (listed["created"], listed["expires"]) == (library.now, library.now + KEEP_S)


def test_deleting_frees_bytes_and_quota(library: Library) -> None:
    """Cancel on the page."""
    address = library.address("alice/data/x", 10)
    library.patch(address, 0, b"abc")
    assert (library.quota.held("alice"), len(library.files())) == (10, 1)
    assert library.http.delete(address, headers=TUS).status_code == 204
    assert (library.quota.held("alice"), library.files()) == (0, [])
    assert library.head(address).status_code == 404


# --- names that are taken ---------------------------------------------------------------


def test_a_taken_name_is_refused_before_the_first_byte(library: Library) -> None:
    """Nobody sends 10 GB to hear at the end that the name is taken."""
    library.begin("alice/data/x", 1, body=b"1")
    refused = library.begin("alice/data/x", 10)
    assert (refused.status_code, refused.json()["error"]["code"]) == (412, "exists")
    assert refused.headers["tus-resumable"] == "1.0.0"
    assert library.begin("alice/data", 10, conflict="replace").json()["error"]["code"] == "path_refused"
    (library.folder / "files/alice/data/folder").mkdir()
    assert library.begin("alice/data/folder", 10, conflict="replace").json()["error"]["code"] == "exists"
    assert (library.files(), library.quota.held("alice")) == ([], 0)


def test_a_name_taken_meanwhile_loses_nothing(library: Library) -> None:
    """Somebody in the workspace was faster: both files are there."""
    address = library.address("alice/data/run.tar.gz", 3)
    (library.folder / "files/alice/data/run.tar.gz").write_bytes(b"other")
    assert library.patch(address, 0, b"abc").headers["upload-path"] == "alice/data/run%20%282%29.tar.gz"
    assert library.stored("alice/data/run.tar.gz") == b"other"
    assert library.stored("alice/data/run (2).tar.gz") == b"abc"


def test_keep_both_counts_up(library: Library) -> None:
    """The third of that name; and a name as long as names can be."""
    for _ in range(3):
        library.begin("alice/data/x.csv", 1, body=b"1", conflict="keep-both")
    assert library.stored("alice/data/x (3).csv") == b"1"
    longest = "ä" * 125 + ".csv"
    for _ in range(2):
        assert library.begin(f"alice/data/{longest}", 1, body=b"1", conflict="keep-both").status_code == 201
    assert library.stored("alice/data/" + "ä" * 123 + " (2).csv") == b"1"


def test_replacing_needs_the_file_that_was_seen(library: Library) -> None:
    """Two people edit the same file: the second is told before and, at the latest, loses nothing."""
    etag = library.begin("alice/data/x", 1, body=b"1").headers["etag"]
    replaced = library.begin("alice/data/x", 1, body=b"2", conflict="replace", ifMatch=etag)
    assert (replaced.status_code, library.stored("alice/data/x")) == (201, b"2")
    late = library.begin("alice/data/x", 1, conflict="replace", ifMatch=etag)
    assert (late.status_code, late.json()["error"]["code"]) == (412, "changed")
    address = library.address("alice/data/x", 1, conflict="replace", ifMatch=replaced.headers["etag"])
    (library.folder / "files/alice/data/x").write_bytes(b"other")
    assert library.patch(address, 0, b"3").headers["upload-path"] == "alice/data/x%20%282%29"
    assert library.stored("alice/data/x") == b"other"


def test_scripts_stay_programs(library: Library) -> None:
    """A twin's lifecycle program must run after it was uploaded or replaced."""
    library.begin("alice/data/run", 9, body=b"#!/bin/sh")
    library.begin("alice/data/run", 3, body=b"ELF", conflict="replace")
    library.begin("alice/data/text", 3, body=b"abc")
    modes = [(library.folder / "files/alice/data" / name).stat().st_mode & 0o777 for name in ("run", "text")]
    assert modes == [0o755, 0o644]


# --- when placing fails -----------------------------------------------------------------


def test_a_file_that_cannot_be_placed_waits(library: Library) -> None:
    """The repository was away for a minute after 10 GB came; clients take 423 for: later."""
    address = library.address("alice/data/x", 3)
    library.backend.reachable = False
    failed = library.patch(address, 0, b"abc")
    assert (failed.status_code, failed.json()["error"]["code"]) == (503, "backend_unreachable")
    assert library.head(address).status_code == 423
    assert library.patch(address, 3).status_code == 503
    assert library.http.get("/lib/uploads").json()["uploads"][0]["offset"] == 3
    library.restart()
    assert library.patch(address, 3).headers["upload-path"] == "alice/data/x"
    assert library.stored("alice/data/x") == b"abc"


def test_a_creation_that_cannot_be_placed_names_the_address(library: Library) -> None:
    """All bytes came with it; they are kept where the refusal says, and nothing is kept of an empty file."""
    library.backend.reachable = False
    refused = library.begin("alice/data/x", 3, body=b"abc")
    assert refused.status_code == 503
    assert library.begin("alice/data/empty", 0).status_code == 503
    assert len(library.files()) == 1
    library.backend.reachable = True
    asked = library.head(refused.headers["location"])
    assert (asked.status_code, asked.headers["upload-path"]) == (200, "alice/data/x")


def test_rights_that_are_gone_at_the_end_keep_the_file_away(library: Library) -> None:
    """Whoever lost the right to write to `common` meanwhile does not write there."""
    address = library.address("common/data/x", 3)
    library.denied.add("common/data/x")
    assert library.patch(address, 0, b"abc").status_code == 403
    assert not (library.folder / "files/common/data/x").exists()
    assert library.begin("common/data/x", 3).status_code == 403


# --- checksums --------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["sha256", "sha1", "md5"])
def test_a_damaged_part_is_not_kept(library: Library, algorithm: str) -> None:
    """A memory fault on the way is found, and only that part is sent again."""
    address = library.address("alice/data/x", 6)
    assert library.patch(address, 0, b"abc", Upload_Checksum=digest(algorithm, b"abc")).status_code == 204
    damaged = library.patch(address, 3, b"dXf", Upload_Checksum=digest(algorithm, b"def"))
    assert (damaged.status_code, damaged.json()["error"]["code"]) == (460, "checksum_mismatch")
    assert library.head(address).headers["upload-offset"] == "3"
    assert library.patch(address, 3, b"def", Upload_Checksum=digest(algorithm, b"def")).status_code == 204
    assert library.stored("alice/data/x") == b"abcdef"


def test_a_checked_part_that_breaks_off_is_not_kept(library: Library) -> None:
    """Its checksum can no longer be proved."""
    address = library.address("alice/data/x", 6)
    connection = library.half_open(address, 6, b"abc", **{"Upload-Checksum": digest("sha1", b"abcdef")})
    wait_for(lambda: library.tus.active, "the beginning")
    connection.close()
    wait_for(lambda: not library.tus.active, "the end")
    assert library.head(address).headers["upload-offset"] == "0"


@pytest.mark.parametrize("header", ["crc32 AAAA", "sha256 AAAA", "sha256 !", "sha256", "", "SHA1 x"])
def test_checksums_that_cannot_be_checked_are_refused(library: Library, header: str) -> None:
    """Ignoring one would be a promise that is not kept."""
    address = library.address("alice/data/x", 3)
    refused = library.patch(address, 0, b"abc", Upload_Checksum=header)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "bad_request")
    assert library.head(address).headers["upload-offset"] == "0"


def test_a_file_that_is_not_what_was_announced_is_given_up(library: Library) -> None:
    """The file changed on the client's disk while it was sent."""
    address = library.address("alice/data/x", 3, sha256=hashlib.sha256(b"abc").hexdigest())
    library.patch(address, 0, b"ab")
    refused = library.patch(address, 2, b"X")
    assert (refused.status_code, "given up" in refused.json()["error"]["what"]) == (460, True)
    assert (library.files(), library.quota.held("alice"), library.head(address).status_code) == ([], 0, 404)
    assert not (library.folder / "files/alice/data/x").exists()


@pytest.mark.parametrize("restarted", [False, True])
def test_the_whole_hash_goes_on_over_parts_and_restarts(library: Library, restarted: bool) -> None:
    """Kept in memory where possible, read again where not."""
    data = os.urandom(3_000_000)
    address = library.address("alice/data/x", len(data), sha256=hashlib.sha256(data).hexdigest().upper())
    library.patch(address, 0, data[:1_300_000])
    library.patch(address, 1_300_000, data[1_300_000:2_000_000], Upload_Checksum=digest("md5", b"wrong"))
    if restarted:
        library.restart()
    assert library.patch(address, 1_300_000, data[1_300_000:]).status_code == 204
    assert library.stored("alice/data/x") == data


# --- connections that break -------------------------------------------------------------


def test_a_broken_connection_keeps_what_came(library: Library) -> None:
    """A closed laptop lid costs nothing but time."""
    address = library.address("alice/data/x", 3_000_000)
    data = os.urandom(3_000_000)
    connection = library.half_open(address, len(data), data[:2_500_000])
    wait_for(lambda: library.tus.active, "the beginning")
    connection.close()
    wait_for(lambda: not library.tus.active, "the end")
    offset = int(library.head(address).headers["upload-offset"])
    assert offset > 0
    assert library.patch(address, offset, data[offset:]).status_code == 204
    assert library.stored("alice/data/x") == data


@pytest.mark.parametrize("newer", ["HEAD", "PATCH"])
def test_a_newer_request_takes_over_from_a_stalled_one(library: Library, newer: str) -> None:
    """The classic complaint: 423 until the server gives up on a connection that nobody holds any more."""
    address = library.address("alice/data/x", 6)
    stalled = library.half_open(address, 6, b"abc")
    wait_for(lambda: library.tus.active, "the beginning")
    time_before = time.monotonic()
    if newer == "PATCH":
        assert library.patch(address, 0, b"abcdef").status_code in (204, 409)
    wait_for(lambda: library.head(address).headers["upload-offset"] in ("3", "6"), "the offset")
    offset = int(library.head(address).headers["upload-offset"])
    assert library.patch(address, offset, b"abcdef"[offset:]).status_code == 204
    assert time.monotonic() - time_before < 5
    answer = stalled.recv(65536)
    assert b" 409 " in answer
    assert b"upload_taken_over" in answer
    stalled.close()
    assert library.stored("alice/data/x") == b"abcdef"


def test_deleting_stops_a_patch_under_way(library: Library) -> None:
    """Cancel while it runs: nothing is left, and nothing appears later."""
    address = library.address("alice/data/x", 6)
    running = library.half_open(address, 6, b"abc")
    wait_for(lambda: library.tus.active, "the beginning")
    assert library.http.delete(address, headers=TUS).status_code == 204
    assert b" 409 " in running.recv(65536)
    running.close()
    assert (library.files(), library.quota.held("alice")) == ([], 0)
    assert library.head(address).status_code == 404


def test_many_patches_at_once_end_in_the_right_bytes(library: Library) -> None:
    """A page in two tabs, and a client that retries too eagerly."""
    data = os.urandom(4_000_000)
    address = library.address("alice/data/x", len(data))

    def go_on() -> None:
        with httpx2.Client(base_url=f"http://127.0.0.1:{library.port}", timeout=20.0, trust_env=False) as http:
            for _ in range(40):
                try:
                    offset = int(http.head(address, headers=TUS).headers["upload-offset"])
                    if offset == len(data):
                        return
                    body = data[offset : offset + 500_000]
                    http.patch(address, headers={**BYTES, "Upload-Offset": str(offset)}, content=body)
                except httpx2.HTTPError:
                    continue

    threads = [threading.Thread(target=go_on) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    offset = int(library.head(address).headers["upload-offset"])
    if offset < len(data):
        library.patch(address, offset, data[offset:])
    assert library.stored("alice/data/x") == data


def test_a_connection_that_brings_nothing_is_ended(make_library: Callable[..., Library]) -> None:
    """Thousands of half-open connections must not hold memory for ever."""
    library = make_library(stall_s=0.2)
    address = library.address("alice/data/x", 6)
    stalled = library.half_open(address, 6, b"abc")
    assert b" 408 " in stalled.recv(65536)
    stalled.close()
    assert library.head(address).headers["upload-offset"] == "3"


# --- after a restart --------------------------------------------------------------------


def test_a_start_cuts_what_was_never_promised(library: Library) -> None:
    """A kill between write and sync leaves more bytes than the row says."""
    address = library.address("alice/data/x", 6)
    library.patch(address, 0, b"abc")
    (name,) = library.files()
    with (library.folder / "uploads" / name).open("ab") as file:
        file.write(b"never synced")
    library.restart()
    assert library.head(address).headers["upload-offset"] == "3"
    assert (library.folder / "uploads" / name).read_bytes() == b"abc"
    assert library.patch(address, 3, b"def").status_code == 204
    assert library.stored("alice/data/x") == b"abcdef"


def test_a_start_drops_rows_without_file_and_files_without_row(library: Library) -> None:
    """What cannot be gone on with takes no room."""
    address = library.address("alice/data/x", 6)
    (name,) = library.files()
    (library.folder / "uploads" / name).unlink()
    (library.folder / "uploads" / "tus-stray").write_bytes(b"x")
    library.restart()
    assert (library.head(address).status_code, library.files(), library.quota.held("alice")) == (404, [], 0)


def test_a_file_placed_as_the_process_died_is_known_to_be_placed(library: Library) -> None:
    """Killed between the rename and the note of it: the client must not send 10 GB again."""
    address = library.address("alice/data/x", 3)
    library.backend.reachable = False
    library.patch(address, 0, b"abc")
    (name,) = library.files()
    (library.folder / "uploads" / name).rename(library.folder / "files/alice/data/x")
    library.restart()
    assert library.head(address).headers["upload-path"] == "alice/data/x"
    assert library.events() == [("upload", "alice/data/x", "3 bytes")]


def test_a_restart_holds_the_quota_again(make_library: Callable[..., Library]) -> None:
    """Otherwise a restart would be a way round it."""
    library = make_library(quota_limit=100)
    library.address("alice/data/x", 80)
    library.restart()
    assert library.quota.held("alice") == 80
    refused = library.begin("alice/data/y", 30)
    assert (refused.status_code, refused.json()["error"]["code"]) == (507, "quota_exceeded")


# --- the end of an upload's time --------------------------------------------------------


def test_an_upload_expires_48_hours_after_its_last_byte(library: Library) -> None:
    """Gone is told apart from never there, and the room is free again."""
    address = library.address("alice/data/x", 6)
    library.now += KEEP_S - 10
    library.patch(address, 0, b"abc")
    library.now += KEEP_S - 10
    assert library.head(address).status_code == 200
    assert library.http.get("/purge").text == "0"
    library.now += 20
    assert library.head(address).status_code == 410
    assert "upload-offset" not in library.head(address).headers
    assert library.http.get("/lib/uploads").json() == {"uploads": []}
    assert library.http.get("/purge").text == "1"
    assert (library.files(), library.quota.held("alice"), library.head(address).status_code) == ([], 0, 410)
    assert library.patch(address, 3, b"def").status_code == 410
    library.now += REMEMBER_S + 1
    library.http.get("/purge")
    assert library.head(address).status_code == 404
