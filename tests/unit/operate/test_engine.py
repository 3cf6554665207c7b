"""The engine that an installation started is its own to end; any other is not."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from twinhub.operate.engine import EngineRemaps, end_own_engine, engine_command, own_engine, refuse_remapping


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process with an engine's command line, as a stand-in: a second real engine would fight over the network."""
    (tmp_path / "run").mkdir()
    words = engine_command(tmp_path)[1:]
    started = subprocess.Popen(
        [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)", *words], stdout=subprocess.PIPE
    )
    assert started.stdout is not None
    started.stdout.readline()  # by now it shows its own command line
    yield started
    started.kill()
    started.wait()
    started.stdout.close()


def test_an_engine_of_ours_is_known_by_its_pid_file_and_ended(tmp_path: Path, process: subprocess.Popen[bytes]) -> None:
    """One whose supervisor was killed would stay for ever, and be restarted by nobody."""
    (tmp_path / "run" / "engine.pid").write_text(str(process.pid))
    assert own_engine(tmp_path) == process.pid
    end_own_engine(tmp_path, timeout_s=0.1)
    assert process.wait(timeout=5) != 0


@pytest.mark.parametrize("content", ["", "x", "999999999", None])
def test_without_a_pid_file_of_ours_nothing_is_ended(
    tmp_path: Path, process: subprocess.Popen[bytes], content: str | None
) -> None:
    """The machine's own engine serves others."""
    if content is not None:
        (tmp_path / "run" / "engine.pid").write_text(content)
    assert own_engine(tmp_path) is None
    end_own_engine(tmp_path)
    assert process.poll() is None


def test_a_pid_that_another_program_has_by_now_is_left_alone(tmp_path: Path) -> None:
    """Process ids are used again."""
    (tmp_path / "run").mkdir()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other:
        (tmp_path / "run" / "engine.pid").write_text(str(other.pid))
        assert own_engine(tmp_path) is None
        end_own_engine(tmp_path)
        assert other.poll() is None
        other.kill()


def test_an_engine_that_gives_containers_other_accounts_is_refused_in_words() -> None:
    """Files of people would be nobody's in their workspaces, and every start would fail for no visible reason."""
    with pytest.raises(EngineRemaps) as refused:
        refuse_remapping(["name=seccomp,profile=default", "name=userns"])
    assert "userns-remap" in refused.value.what
    assert "daemon.json" in refused.value.fix


@pytest.mark.parametrize("options", [[], ["name=apparmor", "name=seccomp,profile=default", "name=cgroupns"]])
def test_any_other_engine_is_taken(options: list[str]) -> None:
    """As it comes from Debian, for one."""
    refuse_remapping(options)
