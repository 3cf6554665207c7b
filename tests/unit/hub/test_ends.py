"""A workspace that dies says why, and the reason is there until it runs again."""

import stat
from pathlib import Path

import pytest

from hub.ends import explain_end, forget_end, read_end, record_end
from twinhub.places import Places
from twinhub.settings import Settings


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "workspaces/ends").mkdir(parents=True)
    return Places(tmp_path, Settings())


@pytest.mark.parametrize(
    ("state", "said", "reason", "remedy"),
    [
        ({"OOMKilled": True, "ExitCode": 137}, "", "out_of_memory", "more memory"),
        ({"OOMKilled": True, "ExitCode": 0}, "", "stopped_outside", "Start it again"),
        ({"OOMKilled": False, "ExitCode": 137}, "", "killed", "administrator"),
        ({"OOMKilled": False, "ExitCode": 143}, "", "stopped_outside", "Start it again"),
        ({"OOMKilled": False, "ExitCode": 255}, "", "stopped_outside", "Start it again"),
        ({"OOMKilled": False, "ExitCode": 1}, "cp: No space left on device\n", "disk_full", "Delete"),
        ({"OOMKilled": False, "ExitCode": 1}, "Permission denied", "exited", "Fresh container"),
        (None, "", "removed", "new container"),
    ],
)
def test_each_end_has_its_own_words(state: dict[str, object] | None, said: str, reason: str, remedy: str) -> None:
    """Somebody whose data is too large must not look for a bug in their code."""
    failure = explain_end(state, said, "2G")
    assert failure.reason == reason
    assert remedy in failure.fix


def test_an_end_names_the_limit_the_status_and_the_last_words() -> None:
    """Without them nobody can do anything about it."""
    assert "2G" in explain_end({"OOMKilled": True, "ExitCode": 137}, "", "2G").what
    ended = explain_end({"ExitCode": 64}, "line one\nno account name\n", "2G").what
    assert "status 64" in ended
    assert "no account name" in ended


def test_an_end_is_read_by_everybody_and_forgotten_when_the_workspace_runs_again(places: Places) -> None:
    """The pages run under another account than the hub."""
    record_end(places, "ada", "big", reason="time_limit", what="It ran 12 hours.", fix="Start it again.")
    file = places.ends / "ada/big.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o755
    end = read_end(places, "ada", "big")
    assert end is not None
    assert (end.reason, end.what) == ("time_limit", "It ran 12 hours.")
    assert read_end(places, "ada") is None
    forget_end(places, "ada", "big")
    assert read_end(places, "ada", "big") is None
    assert list(file.parent.iterdir()) == []


def test_a_damaged_record_is_no_reason(places: Places) -> None:
    """A disk that filled up while it was written must not break the page."""
    record_end(places, "ada", "", reason="removed", what="x", fix="y")
    (places.ends / "ada/_.json").write_text('{"reason": "rem')
    assert read_end(places, "ada") is None


@pytest.mark.parametrize(("owner", "server"), [("../etc", ""), ("ada", "../x"), ("", ""), ("ada", "X")])
def test_no_name_leads_out_of_the_folder(places: Places, owner: str, server: str) -> None:
    """The watch runs as root; it must not be talked into writing elsewhere."""
    with pytest.raises(ValueError, match="not the name"):
        record_end(places, owner, server, reason="x", what="", fix="")


def test_a_link_in_place_of_an_owners_folder_is_not_followed(places: Places, tmp_path: Path) -> None:
    """The hub owns the folder above, and the watch writes there as root: it must not be sent elsewhere."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (places.ends / "ada").symlink_to(elsewhere)
    with pytest.raises(OSError, match=r"ada|symbolic|directory"):
        record_end(places, "ada", "", reason="removed", what="x", fix="y")
    assert list(elsewhere.iterdir()) == []
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o700


def test_a_record_that_is_a_link_is_replaced_and_its_target_kept(places: Places, tmp_path: Path) -> None:
    """Likewise one level below."""
    target = tmp_path / "target"
    target.write_text("mine")
    (places.ends / "ada").mkdir()
    (places.ends / "ada/_.json").symlink_to(target)
    record_end(places, "ada", "", reason="removed", what="x", fix="y")
    assert target.read_text() == "mine"
    assert read_end(places, "ada") is not None
    assert not (places.ends / "ada/_.json").is_symlink()
