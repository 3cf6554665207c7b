"""The platform's tools in `common`: given once, renewed while nobody has changed them."""

from pathlib import Path

import pytest

from twinhub.operate.common_tools import give_tools


@pytest.fixture
def source(tmp_path: Path) -> Path:
    tool = tmp_path / "source/cosim"
    tool.mkdir(parents=True)
    (tool / "asset.yaml").write_text("title: Co-simulation\n")
    (tool / "run").write_text("one")
    (tmp_path / "target").mkdir()
    return tmp_path / "source"


def give(source: Path) -> Path:
    give_tools(source, source.parent / "target", source.parent / "record.json")
    return source.parent / "target/cosim"


def test_a_tool_is_given_and_renewed_with_the_platform(source: Path) -> None:
    """An upgrade must reach those who never touched the tool."""
    assert (give(source) / "run").read_text() == "one"
    (source / "cosim/run").write_text("two")
    assert (give(source) / "run").read_text() == "two"
    assert [entry.name for entry in (source.parent / "target").iterdir()] == ["cosim"]


def test_what_using_a_tool_leaves_behind_is_no_change(source: Path) -> None:
    """Python writes caches beside every module that somebody imports."""
    (give(source) / "__pycache__").mkdir()
    (give(source) / "__pycache__/run.pyc").write_bytes(b"cache")
    (source / "cosim/run").write_text("two")
    assert (give(source) / "run").read_text() == "two"


def test_a_changed_or_deleted_tool_is_left_as_people_made_it(source: Path) -> None:
    """Nobody's work is overwritten by an upgrade, and what was thrown away stays away."""
    place = give(source)
    (place / "run").write_text("mine")
    (source / "cosim/run").write_text("two")
    assert (give(source) / "run").read_text() == "mine"
    (place / "run").unlink()
    (place / "asset.yaml").unlink()
    place.rmdir()
    assert not give(source).exists()


def test_a_folder_of_the_same_name_that_was_there_before_is_not_touched(source: Path) -> None:
    """Somebody may have put a tool of that name there long ago."""
    place = source.parent / "target/cosim"
    place.mkdir()
    assert not (give(source) / "run").exists()
