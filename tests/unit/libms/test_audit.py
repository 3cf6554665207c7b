"""The log of who changed or downloaded what: complete, in order, only ever longer."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libms import audit as module
from libms.audit import Audit
from libms.errors import BadRequest
from libms.paths import AssetPath

PATH = AssetPath("alice", ("data", "f"))


def read_all(audit: Audit, first: int) -> list[str]:
    """Read all pages, latest first."""
    found: list[str] = []
    before = None
    while page := audit.latest("alice", first, before):
        found += [event.detail for event in page]
        before = page[-1].at
    return found


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=3000), max_size=60), st.integers(1, 70))
def test_every_event_is_read_back_once_whatever_it_says(
    tmp_path_factory: pytest.TempPathFactory, details: list[str], first: int
) -> None:
    """Pages begin anywhere in blocks that begin anywhere in lines; line breaks in a detail are no lines."""
    audit = Audit(tmp_path_factory.mktemp("audit"))
    for detail in details:
        audit.record("bob", "download", PATH, detail)
    assert read_all(audit, first) == details[::-1]


def test_a_long_log_is_read_in_blocks(tmp_path: Path) -> None:
    """Nobody waits for years of events to be read."""
    audit = Audit(tmp_path)
    count = 3 * module.BLOCK_BYTES // 60
    for number in range(count):
        audit.record("bob", "download", PATH, str(number))
    assert [event.detail for event in audit.latest("alice", 3)] == [str(count - one) for one in (1, 2, 3)]
    assert read_all(audit, 100) == [str(number) for number in reversed(range(count))]


def test_a_torn_line_costs_no_other(tmp_path: Path) -> None:
    """A full disk may cut a line; what follows is whole."""
    audit = Audit(tmp_path)
    audit.record("bob", "write", PATH, "before")
    with (tmp_path / "alice.jsonl").open("ab") as stream:
        stream.write(b'{"time": 1, "us\n')
    audit.record("bob", "write", PATH, "after")
    assert read_all(audit, 1) == ["after", "before"]


def test_owners_are_kept_apart_and_a_strange_cursor_is_refused(tmp_path: Path) -> None:
    """What bob reads must never be alice's."""
    audit = Audit(tmp_path)
    audit.record("bob", "write", PATH)
    assert audit.latest("bob", 10) == []
    with pytest.raises(BadRequest):
        audit.latest("alice", 10, 10**9)


def test_a_log_that_cannot_be_written_stops_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Reading and deleting must go on when the disk is full; the event goes to the service's log."""
    os.mkfifo(tmp_path / "x")
    audit = Audit(tmp_path / "x")
    audit.record("bob", "download", PATH)
    assert "bob download" in caplog.text
