"""What may be deployed, and how a model's health is told."""

from __future__ import annotations

import io
import zipfile

import httpx2
import pytest

from realtime.errors import ModelRefused
from realtime.service.assets import LibraryAssets
from realtime.service.bundles import (
    LARGEST_BUNDLE,
    LARGEST_TABLES,
    MOST_FILES,
    decoded_files,
    make_wish,
    read_deployment,
)
from realtime.service.errors import BadRequest
from realtime.service.health import state_of
from realtime.wire import ModelRecord, WorkerRecord
from twinhub.errors import Forbidden
from twinhub.signin import User

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Say on which loop asynchronous tests run."""
    return "asyncio"


ANN = User("ann", admin=False, scopes=frozenset(), token="anns-token")


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../up.py", "a/../../b.py", "", "a//b.py", ".", "a/./b.py", "x\x00.py", "a\nb.py", "x" * 501],
)
def test_files_cannot_leave_their_folder(path: str) -> None:
    """They are written where the owner's models run, beside others of theirs."""
    found = read_deployment(b'{"files": {"model.py": ""}}')

    with pytest.raises(ModelRefused):
        make_wish(found, {path: b"", "model.py": b""}, "ann")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"files": {"a.py": 5}}',
        b'{"files": {"a.py": ""}, "asset": "ann/x"}',
        b'{"files": {"a.py": ""}, "unknown": 1}',
        b'{"files": {"a.py": ""}, "partitions": 0}',
        b'{"files": {"a.py": ""}, "tables": ' + b"[" * 90_000,
    ],
)
def test_a_deployment_that_says_nothing_clear_is_refused(body: bytes) -> None:
    """A typing error in a field must not deploy something else."""
    with pytest.raises(BadRequest):
        read_deployment(body)


def test_the_file_with_the_model_is_found_or_asked_for() -> None:
    """One file needs no name, several do."""
    found = read_deployment(b'{"files": {"x": ""}}')

    assert make_wish(found, {"only.py": b""}, "ann").bundle.entry == "only.py"
    assert make_wish(found, {"other.py": b"", "model.py": b""}, "ann").bundle.entry == "model.py"
    with pytest.raises(ModelRefused, match="entry"):
        make_wish(found, {"a.py": b"", "b.py": b""}, "ann")


def test_a_bundle_has_a_limit() -> None:
    """It goes over the network to every worker, at each start."""
    found = read_deployment(b'{"files": {"x": ""}}')

    with pytest.raises(ModelRefused):
        make_wish(found, {"model.py": b"x" * (LARGEST_BUNDLE + 1)}, "ann")
    with pytest.raises(ModelRefused):
        make_wish(found, {f"m{number}.py": b"" for number in range(MOST_FILES + 1)}, "ann")


def test_files_that_are_no_text_come_in_base64() -> None:
    """A trained network is part of a model."""
    found = read_deployment(b'{"files": {"a.bin": {"base64": "AP8="}, "m.py": "\\u00e4"}}')

    assert decoded_files(found) == {"a.bin": b"\x00\xff", "m.py": "ä".encode()}
    with pytest.raises(BadRequest):
        decoded_files(read_deployment(b'{"files": {"a.bin": {"base64": "!"}}}'))


def packed(files: dict[str, bytes]) -> bytes:
    """Give a zip of files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def library(content: bytes, status: int = 200) -> LibraryAssets:
    """Give one that answers so, to whoever sends the person's token."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        assert request.headers["authorization"] == "token anns-token"
        return httpx2.Response(status, content=content)

    return LibraryAssets("http://library", httpx2.MockTransport(answer))


async def test_an_asset_is_read_as_the_person_who_deploys_it() -> None:
    """What the library would not show them they cannot deploy either."""
    assert await library(b"x = 1").fetch(ANN, "ann/models/m.py") == {"m.py": b"x = 1"}
    folder = library(packed({"m/model.py": b"x", "m/data/t.csv": b"1"}))
    assert await folder.fetch(ANN, "common/m") == {"model.py": b"x", "data/t.csv": b"1"}
    with pytest.raises(Forbidden):
        await library(b"", 403).fetch(ANN, "bob/secret.py")
    with pytest.raises(ModelRefused):
        await library(b"", 404).fetch(ANN, "ann/nothing.py")


async def test_an_archive_that_unpacks_to_gigabytes_is_refused_before_it_does() -> None:
    """A small file of zeros could take all the memory."""
    with pytest.raises(ModelRefused, match="too large"):
        await library(packed({"m/a": b"\0" * (LARGEST_BUNDLE + 1)})).fetch(ANN, "ann/m")
    with pytest.raises(ModelRefused):
        await library(b"no archive").fetch(ANN, "ann/m")


def worker(**more: object) -> WorkerRecord:
    """Give a worker's record."""
    given: dict[str, object] = {"worker": "w", "model": "M", "version": 1, "host": "h", "pid": 1, **more}
    return WorkerRecord(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("workers", "host", "state"),
    [
        ([], {"state": "starting"}, "starting"),
        ([], {"state": "failed", "what": "No room.", "fix": "Wait."}, "failing"),
        ([worker(partitions=[0, 1])], {}, "running"),
        ([worker(partitions=[0], loading=[1])], {}, "loading"),
        ([worker(partitions=[0])], {}, "degraded"),
        ([worker(partitions=[0]), worker(partitions=[1])], {}, "running"),
        ([worker(trouble="It ended with signal 9.")], {}, "failing"),
    ],
)
def test_health_is_what_the_workers_tell(workers: list[WorkerRecord], host: dict[str, str], state: str) -> None:
    """A green light over a partition that nobody has would hide devices that get no answer."""
    record = ModelRecord(name="M", version=1, partitions=2)

    found, reason = state_of(record, workers, host)

    assert found == state
    assert bool(reason) == (state != "running")


def test_a_model_that_is_off_is_stopped_whatever_runs() -> None:
    """Its workers may need a moment to end."""
    off = ModelRecord(name="M", version=1, partitions=1, enabled=False)

    assert state_of(off, [worker(partitions=[0])], {})[0] == "stopped"


def test_tables_are_read_when_they_are_small_enough_only() -> None:
    """In memory they are many times as large as they were sent, and the service is everybody's."""
    found = read_deployment(b'{"files": {"x": ""}, "tables": {"sites": [{"id": 1}]}}')
    assert make_wish(found, {"model.py": b""}, "ann").bundle.tables == {"sites": [{"id": 1}]}
    large = b"[" + b"1," * (LARGEST_TABLES // 2) + b"1]"
    found = read_deployment(b'{"files": {"x": ""}, "tables": {"a": ' + large + b"}}")
    with pytest.raises(ModelRefused, match="tables"):
        make_wish(found, {"model.py": b""}, "ann")
