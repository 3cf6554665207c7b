"""A watch that is restarted goes on where it was."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.watch.control_groups import ControlGroups
from hub.watch.engine import Container, Key
from hub.watch.remembered import memory_of, read_memories, recall, write_memories
from hub.watch.rules import Heard
from hub.watch.watched import Watched

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
CONTAINER = Container(Key("alice"), "c", 42, "", "", None)


def watched(container: Container = CONTAINER) -> Watched:
    return Watched(container, ControlGroups({}), started=10.0)


def test_a_restart_forgets_neither_idle_time_nor_wishes(tmp_path: Path) -> None:
    """An update in the evening must not cost or give anybody hours."""
    before = watched()
    before.heard, before.wish, before.kept_until, before.warned = Heard(NOON, 77.0), NOON, 500.0, 400.0
    write_memories(tmp_path / "m", {"alice": memory_of(before)})
    after = watched()
    recall(after, read_memories(tmp_path / "m")["alice"])
    assert (after.heard, after.wish, after.kept_until, after.warned) == (Heard(NOON, 77.0), NOON, 500.0, 400.0)


def test_another_run_of_the_container_starts_anew_but_for_its_disk(tmp_path: Path) -> None:
    """Starting again must not raise what somebody had too much."""
    before = watched()
    before.kept_until, before.tolerated_bytes = 500.0, 12
    after = watched(replace(CONTAINER, pid=43))
    recall(after, memory_of(before))
    assert (after.kept_until, after.tolerated_bytes) == (None, 12)


@pytest.mark.parametrize("damaged", ["", "{", "[]", "null", '{"workspaces": []}', '{"workspaces": {"a": 5}}'])
def test_a_damaged_memory_is_none(tmp_path: Path, damaged: str) -> None:
    """The watch must come up after a disk ran full."""
    (tmp_path / "m").write_text(damaged)
    assert read_memories(tmp_path / "m") == {}
