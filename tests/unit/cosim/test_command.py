"""The command: what it prints and with which code it ends."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.unit.cosim.models import Done, environment

Content = Callable[..., dict[str, Any]]
Command = Callable[..., Done]


def test_a_run_says_how_far_it_is_in_lines_that_hold_a_percentage(two: Content, cosim: Command) -> None:
    """The page draws progress from a percentage in the output."""
    done = cosim("run", two())
    assert done.code == 0, done.err
    assert done.err.splitlines()[-1] == "100.0 % t = 1.00 s"
    assert done.out == f"101 rows: {done.folder}/outputs.csv\n"
    assert cosim("run", two(), "--quiet").err == ""


def test_a_terminal_gets_one_line_that_is_drawn_over(two: Content, tmp_path: Path) -> None:
    """A screen full of percentages hides what matters."""
    file = tmp_path / "m.json"
    file.write_text(json.dumps(two()))
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "cosim", "run", str(file)]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), stderr=theirs, stdout=subprocess.PIPE, timeout=60, check=False
    )
    os.close(theirs)
    said = os.read(ours, 100_000).decode()
    os.close(ours)
    assert done.returncode == 0
    assert "\r[##############################] 100.0 % t = 1.00 s" in said
    assert said.count("\n") == 1


def test_json_is_one_object_whatever_fmus_print(two: Content, cosim: Command) -> None:
    """Programs read standard output."""
    done = cosim("run", two(), "--json", "--output", "deep/er")
    assert done.answer == {
        "ok": True,
        "output": str(done.folder / "deep/er/outputs.csv"),
        "rows": 101,
        "end": done.answer["end"],
        "ended_by": None,
        "warnings": [],
    }
    assert (done.folder / "deep/er/outputs.csv").is_file()
    refused = cosim("run", two(endTime=None), "--json")
    assert refused.code == 2
    assert refused.answer["error"]["problems"][0]["level"] == "error"


def test_check_tells_good_from_bad(two: Content, cosim: Command) -> None:
    """A twin's report asks this command."""
    good = cosim("check", two(), "--json")
    assert (good.code, good.answer) == (0, {"ok": True, "problems": []})
    bad = cosim("check", two(connections={"{a}.p.x": ["{b}.q.v"]}))
    assert bad.code == 2
    assert "error: {b}.q has no variable 'v'." in bad.out
    assert cosim("check", "nowhere.json").code == 2


def test_describe_lists_variables(fmu: Callable[..., Path], cosim: Command) -> None:
    """One looks before one connects."""
    file = fmu(version=3, units={"u": "m"})
    done = cosim("describe", file)
    assert done.code == 0
    assert "FMI 3.0" in done.out
    (line,) = [line for line in done.out.splitlines() if line.startswith("u ")]
    assert line.split() == ["u", "input", "continuous", "Float64", "m", "0"]
    about = cosim("describe", file, "--json").answer
    assert (about["platforms"], about["saves_state"]) == (["x86_64-linux"], True)
    assert cosim("describe", "nowhere.fmu").code == 2


def test_the_other_worlds_command_line_simulates(two: Content, cosim: Command) -> None:
    """Scripts are taken over by changing the program's name."""
    done = cosim("import", "-output", "results", "--dump-intermediate", "sg1", two(), "-i", "-vi", "FMI2", "output-dir")
    assert done.code == 0, done.err
    assert (done.folder / "results" / "outputs.csv").is_file()
    no = cosim("import", "sg1", two())
    assert no.code == 2
    assert "no MaBL" in no.err


def test_fmus_are_sought_in_further_folders(
    two: Content, fmu: Callable[..., Path], cosim: Command, tmp_path: Path
) -> None:
    """Assets of a library do not stand beside the twin."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    content = two()
    for file in ("A.fmu", "B.fmu"):
        (tmp_path / file).rename(elsewhere / file)
    content["fmus"] = {"{a}": "A.fmu", "{b}": "B.fmu"}
    assert cosim("run", content).code == 2
    assert cosim("run", content, "--fmus", elsewhere).code == 0
