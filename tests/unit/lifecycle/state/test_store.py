"""Contents are kept once, whole, within a limit."""

import os
from pathlib import Path

import pytest

from lifecycle.state.errors import ContentMissing
from lifecycle.state.store import Store, read_limit

MIB = 1 << 20


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", limit_bytes=8 * MIB)


def add(store: Store, content: bytes, *, durable: bool = False) -> str:
    with store.batch(durable=durable) as batch:
        kept = batch.add_bytes(content)
        batch.flush()
    assert kept.stored
    return kept.sha256


@pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB])
def test_what_went_in_comes_out(store: Store, tmp_path: Path, size: int) -> None:
    """A replay with other inputs than the run's would be worthless."""
    file = tmp_path / "file"
    file.write_bytes(os.urandom(size))
    with file.open("rb") as stream, store.batch() as batch:
        kept = batch.add(stream.fileno(), size, store=True)
    assert (kept.size, kept.stored) == (size, True)
    assert b"".join(store.read(kept.sha256)) == file.read_bytes()


def test_equal_contents_take_room_once(store: Store) -> None:
    """Hundreds of runs of one twin have the same models."""
    shas = {add(store, b"model" * 1000, durable=durable) for durable in (False, True, True)}
    assert len(shas) == 1
    assert store.size_bytes() == 5000


def test_a_damaged_content_is_missing_and_the_next_run_heals_it(store: Store) -> None:
    """A bad disk must not pass for what a run read."""
    sha = add(store, b"exact")
    store.path(sha).chmod(0o600)
    store.path(sha).write_bytes(b"exakt")
    with pytest.raises(ContentMissing, match="damaged"):
        list(store.read(sha))
    assert add(store, b"exact") == sha
    assert list(store.read(sha)) == [b"exact"]


def test_beyond_the_limit_only_the_checksum_is_known(store: Store) -> None:
    """Records must not fill the disk on which the simulation writes."""
    add(store, bytes(6 * MIB))
    with store.batch() as batch:
        kept = batch.add_bytes(b"x" * 3 * MIB)
        assert (kept.stored, batch.problem) == (False, "the store is full")
        assert batch.add_bytes(b"y" * MIB).stored
    assert store.size_bytes() == 7 * MIB


def test_sweeping_removes_what_nobody_names_and_waits_for_writers(store: Store) -> None:
    """A content that a manifest is about to name must not vanish before."""
    kept, lost = add(store, b"kept"), add(store, b"lost")
    with store.batch():
        assert store.sweep(lambda: {kept}) is None
    assert store.sweep(lambda: {kept}) == 4
    assert (store.has(kept, 4), store.has(lost, 4), store.size_bytes()) == (True, False, 4)


def test_a_killed_writers_rest_is_swept(store: Store) -> None:
    """Half-written files would add up."""
    add(store, b"a")
    (store.folder / "parts" / "0123").write_bytes(b"half")
    store.sweep(set)
    assert list((store.folder / "parts").iterdir()) == []


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "A" * 64, "é" * 64])
def test_a_name_that_is_no_checksum_is_refused(store: Store, name: str) -> None:
    """Records are files that a user can edit."""
    with pytest.raises(ContentMissing):
        list(store.read(name))
    assert not store.has(name, 0)


@pytest.mark.parametrize(
    ("given", "gib"), [("1.5", 1.5), ("", 4), ("lots", 4), ("-1", 4), ("0", 4), ("nan", 4), ("inf", 4)]
)
def test_the_limit_is_what_the_environment_says_when_it_makes_sense(given: str, gib: float) -> None:
    """A slip in a setting must not stop runs from being recorded."""
    assert read_limit({"TWINHUB_STORE_GIB": given}) == int(gib * 1024**3)
