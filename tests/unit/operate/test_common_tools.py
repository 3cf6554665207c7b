"""The platform's tools in `common`: given once, renewed while nobody has changed them."""

import os
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


@pytest.mark.parametrize("trap", ["pipe", "device", "huge"])
def test_a_trap_among_a_tools_files_is_left_as_any_change_is(source: Path, trap: str) -> None:
    """Whoever may write to `common` could hold up an upgrade for ever, or fill the memory of the machine."""
    place = give(source)
    match trap:
        case "pipe":
            os.mkfifo(place / "trap")
        case "device":
            (place / "trap").symlink_to("/dev/zero")
        case _:
            with (place / "trap").open("wb") as stream:
                stream.truncate(10**12)
    (source / "cosim/run").write_text("two")
    assert (give(source) / "run").read_text() == "one"


def test_no_link_leads_into_somebodys_files(source: Path) -> None:
    """All people's files belong to one account, so what follows a link writes into any of them."""
    theirs = source.parent / "theirs"
    theirs.mkdir()
    (source.parent / "target").rmdir()
    (source.parent / "target").symlink_to(theirs)
    with pytest.raises(OSError):
        give(source)
    assert not any(theirs.iterdir())


def test_a_tool_that_became_a_link_is_left_alone(source: Path) -> None:
    """What it leads to is somebody's own copy."""
    place = give(source)
    place.rename(source.parent / "copy")
    place.symlink_to(source.parent / "copy")
    (source / "cosim/run").write_text("two")
    give(source)
    assert place.is_symlink()
    assert (source.parent / "copy/run").read_text() == "one"


def test_a_tool_that_a_kill_left_unrecorded_is_renewed_all_the_same(source: Path) -> None:
    """Otherwise it would count as somebody's own for ever; a damaged record is no reason to stop either."""
    give(source)
    (source.parent / "record.json").write_text("{ damaged")
    give(source)
    (source / "cosim/run").write_text("two")
    assert (give(source) / "run").read_text() == "two"
