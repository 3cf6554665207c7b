"""supervisord's configuration is made from programs and holds no surprise."""

import configparser
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.indexed import soon
from twinhub.operate.programs import Program
from twinhub.operate.supervisor import MARK, Supervisor, SupervisorUnreachable, render
from twinhub.places import Places
from twinhub.settings import Settings


def parsed(places: Places, *programs: Program) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    parser.read_string(render(places, programs))
    return parser


def test_every_program_comes_back_when_it_dies(tmp_path: Path) -> None:
    """A killed service that stays away is an outage."""
    section = parsed(Places(tmp_path, Settings()), Program("web", ("/bin/true", "-m", "web")))["program:web"]
    assert section["autorestart"] == "true"
    assert section["command"] == "/bin/true -m web"
    assert f'{MARK}="{tmp_path}"' in section["environment"]


def test_the_engine_is_never_swept_up_with_the_platform(tmp_path: Path) -> None:
    """Its children are people's workspaces."""
    section = parsed(Places(tmp_path, Settings()), Program("engine", ("dockerd",), holds_workspaces=True))
    assert MARK not in section["program:engine"]["environment"]
    assert section["program:engine"]["killasgroup"] == "false"


def test_paths_with_spaces_and_percent_signs_survive(tmp_path: Path) -> None:
    """A data folder may have any name."""
    places = Places(tmp_path / "my data 100%", Settings())
    section = parsed(places, Program("web", ("/bin/a b", "50%"), {"X": 'a"b%'}))["program:web"]
    assert section["command"] == "'/bin/a b' 50%%"
    assert 'X="a\\"b%%"' in section["environment"]


def test_work_that_ends_is_done_once_and_again_when_it_is_due(tmp_path: Path) -> None:
    """An image is built after a change, and not at every `twinhub up`; a status of 'ended' is no failure."""
    places = Places(tmp_path, Settings())
    for folder in (places.log, places.run):
        folder.mkdir()
    work = Program("image", ("/bin/sh", "-c", f"echo done >> {tmp_path}/work; cat {tmp_path}/wait"), once=True)
    os.mkfifo(tmp_path / "wait")
    supervisor = Supervisor(places)
    supervisor.write([work])
    with subprocess.Popen(supervisor.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/") as process:
        supervisor.wait_until_running()
        supervisor.apply([work])
        assert [state.well for state in supervisor.states()] == [True]
        for times in (1, 2):
            (tmp_path / "wait").write_text("")  # returns when the work waits for it, which then ends
            soon(lambda: supervisor.states()[0].state == "EXITED", 20)
            assert supervisor.states()[0].well
            assert supervisor.apply([replace(work, due=False)]) == []
            assert (tmp_path / "work").read_text().count("done") == times
            if times == 1:
                assert supervisor.apply([work]) == ["image"]
        process.terminate()


def test_without_supervisord_the_remedy_is_named(tmp_path: Path) -> None:
    """`twinhub status` on a stopped platform says how to start it."""
    with pytest.raises(SupervisorUnreachable, match="twinhub up"):
        Supervisor(Places(tmp_path, Settings())).states()


def test_a_folder_too_deep_for_a_socket_is_refused_before_anything_starts(tmp_path: Path) -> None:
    """Otherwise supervisord would fail with words nobody understands."""
    places = Places(tmp_path / ("x" * 120), Settings())
    places.log.mkdir(parents=True)
    with pytest.raises(SupervisorUnreachable, match="shorter --data-dir"):
        Supervisor(places).ensure_running([])
