"""Twins made for another platform run here as they are: paths below /workspace/examples, apt, Java, venv, pid files.

The scripts are ours; they are put together as those of the public DTaaS examples are.
"""

import csv
import math
import os
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.integration.conftest import Shell
from tests.support.installation import Installation, wait_until, write_as_owner
from tests.support.people import Person
from tests.unit.cosim.fmus import Plant, compile_plant, write_fmu

TWINS = "/workspace/examples/digital_twins"
FOLDERS = ("data", "digital_twins", "models", "tools")

TREE = {
    "tools/conductor/Conductor.java": """\
        import java.util.ArrayList;
        import java.util.List;

        public class Conductor {
            public static void main(String[] words) throws Exception {
                System.out.println("Java " + System.getProperty("java.specification.version"));
                List<String> command = new ArrayList<>(List.of("cosim"));
                command.addAll(List.of(words));
                System.exit(new ProcessBuilder(command).inheritIO().start().waitFor());
            }
        }
        """,
    # No apt-get update in front: the other platform's images come with lists of packages.
    "digital_twins/pair/lifecycle/create": """\
        #!/bin/bash
        set -e
        printf "Dependencies \\n\\n"
        sudo apt-get install -y openjdk-17-jre
        cd /workspace/examples/tools/conductor
        java -m jdk.compiler/com.sun.tools.javac.Main -d classes Conductor.java
        java -m jdk.jartool/sun.tools.jar.Main --create --main-class Conductor \\
          --file ../conductor-1.0-jar-with-dependencies.jar -C classes .
        """,
    "digital_twins/pair/lifecycle/execute": """\
        #!/bin/sh
        export TOOLS="/workspace/examples/tools"
        mkdir -p $CI_PROJECT_DIR/data/pair/output

        cp ../../models/plant-gcc.fmu .
        java -jar $TOOLS/conductor-1.0-jar-with-dependencies.jar\\
          import -output $CI_PROJECT_DIR/data/pair/output\\
          --dump-intermediate sg1 cosim.json time.json\\
          -i -vi FMI2 output-dir>debug.log 2>&1
        """,
    "digital_twins/pair/lifecycle/analyze": """\
        #!/bin/bash
        printf "Plotting"
        mkdir -p /workspace/examples/data/pair/output/plots
        python lifecycle/plot.py
        mv *.png /workspace/examples/data/pair/output/plots""",
    "digital_twins/pair/lifecycle/plot.py": """\
        import matplotlib.pyplot as plt
        from pandas import read_csv

        table = read_csv('/workspace/examples/data/pair/output/outputs.csv')
        plt.plot(table['time'], table['{follower}.behind.x'])
        plt.savefig('pair.png')
        """,
    "digital_twins/pair/lifecycle/clean": """\
        #!/bin/bash
        rm -rf debug.log plant-gcc.fmu
        rm -rf "/workspace/examples/data/pair/output"
        """,
    "digital_twins/pair/cosim.json": """\
        {
          "fmus": {
            "{leader}": "file:///workspace/examples/models/plant-gcc.fmu",
            "{follower}": "file:///workspace/examples/models/plant-gcc.fmu"
          },
          "connections": {"{leader}.ahead.x": ["{follower}.behind.u"]},
          "logVariables": {"{follower}.behind": ["x"]},
          "parameters": {"{leader}.ahead.u": 1.0},
          "algorithm": {"type": "fixed-step", "size": 0.125},
          "loggingOn": false,
          "overrideLogLevel": "INFO"
        }
        """,
    "digital_twins/pair/time.json": '{"startTime": 0, "endTime": 5, "reportProgress": true, "logLevels": {}}',
    "digital_twins/listener/requirements.txt": "six==1.16.0\n",
    "digital_twins/listener/listen.py": """\
        import sys
        import time

        import six

        print(sys.prefix, six.__version__, flush=True)
        while True:
            time.sleep(1)
        """,
    # By somebody who thinks they are root, and asked a question that nobody is there to answer.
    "digital_twins/listener/lifecycle/create": """\
        #!/bin/bash
        apt-get install cowsay ## no more than a proof
        cd "$(dirname "${BASH_SOURCE[0]}")"
        python3 -m venv ../.venv
        source ../.venv/bin/activate
        pip install -r ../requirements.txt
        """,
    "digital_twins/listener/lifecycle/execute": """\
        #!/bin/bash
        source .venv/bin/activate
        nohup python3 listen.py > listener.log 2>&1 &
        echo $! > listener.pid
        """,
    "digital_twins/listener/lifecycle/terminate": """\
        #!/bin/bash
        kill "$(cat listener.pid)" && rm listener.pid
        """,
    "digital_twins/listener/lifecycle/clean": """\
        #!/bin/bash
        pkill -f listen.py || true
        rm -rf .venv listener.log
        """,
}


@pytest.fixture(scope="module")
def tree(
    installation: Installation, marie: Person, inside: Shell, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A tree of that shape at /workspace/examples; all of it goes afterwards."""
    scratch = tmp_path_factory.mktemp("fmus")
    plant = Plant(name="plant_model", binary="plant-gcc")  # the binary bears the file's name, not the model's
    model = write_fmu(scratch / "plant-gcc.fmu", compile_plant(scratch, 2), plant)
    workspace = installation.places.files / "marie"
    write_as_owner(workspace / "examples/models/plant-gcc.fmu", model.read_bytes())
    for path, text in TREE.items():
        file = workspace / "examples" / path
        write_as_owner(file, textwrap.dedent(text))
        file.chmod(0o755 if file.read_bytes().startswith(b"#!") else 0o644)
    yield workspace
    twins = sorted({path.split("/")[1] for path in TREE if path.startswith("digital_twins/")})
    rubbish = " ".join(f"digital_twins/{twin} data/{twin}" for twin in twins)
    inside(
        marie,
        f"pkill -f 'listen[.]py'; cd /workspace && rm -rf examples tools/conductor* models/plant-gcc.fmu {rubbish}",
    )


@pytest.fixture(scope="module")
def created(tree: Path, marie: Person, inside: Shell) -> subprocess.CompletedProcess[str]:
    """What lifecycle/create of the twin with Java said, by hand."""
    return inside(marie, f"bash -lc 'cd {TWINS}/pair && lifecycle/create'")


def follower_at(moment: float) -> float:
    """Solve x' = u - x, u' = 1 - u from 0 in both: what the second plant does when the first gets a step."""
    return 1 - math.exp(-moment) * (1 + moment)


def check_results(outputs: Path) -> None:
    with (outputs / "output/outputs.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 41
    last = rows[-1]
    assert float(last["{leader}.ahead.x"]) == pytest.approx(1 - math.exp(-5), abs=1e-9)
    # The second plant's input lags by a step at most.
    assert follower_at(5 - 0.125) < float(last["{follower}.behind.x"]) < follower_at(5)
    assert (outputs / "output/plots/pair.png").read_bytes().startswith(b"\x89PNG")


def test_scripts_with_apt_java_and_a_foreign_fmu_run_by_hand_as_they_are(
    tree: Path, created: subprocess.CompletedProcess[str], marie: Person, inside: Shell
) -> None:
    """Who moves here with a tree of twins will not rewrite their scripts first."""
    assert created.returncode == 0
    inside(marie, f"bash -lc 'cd {TWINS}/pair && lifecycle/execute && lifecycle/analyze'")
    assert "Java 17" in (tree / "examples/digital_twins/pair/debug.log").read_text()
    check_results(tree / "examples/data/pair")
    inside(marie, f"bash -lc 'cd {TWINS}/pair && lifecycle/clean'")
    assert not (tree / "examples/data/pair/output").exists()


def test_a_background_process_lives_by_its_pid_file_by_hand(tree: Path, marie: Person, inside: Shell) -> None:
    """Half of that world's twins start services with & and end them in terminate."""
    inside(marie, f"bash -lc 'cd {TWINS}/listener && lifecycle/create && lifecycle/execute && /usr/games/cowsay hello'")
    log = tree / "examples/digital_twins/listener/listener.log"
    assert wait_until(lambda: log.read_text().split(), 20, "the listener") == [f"{TWINS}/listener/.venv", "1.16.0"]
    inside(
        marie, f"bash -lc 'kill -0 $(cat {TWINS}/listener/listener.pid) && cd {TWINS}/listener && lifecycle/terminate'"
    )
    wait_until(lambda: not listeners(marie, inside), 10, "the listener's end")
    inside(marie, f"bash -lc 'cd {TWINS}/listener && lifecycle/clean'")


def listeners(marie: Person, inside: Shell) -> str:
    # Brackets, so that the question does not find itself.
    return str(inside(marie, "pgrep -f 'listen[.]py'", check=False).stdout)


def ended_run(marie: Person, twin: str, phase: str) -> dict[str, object]:
    """Run a phase over the API to its end."""
    answer = marie.ask("POST", f"/user/marie/twins/{twin}/runs", json={"phase": phase})
    assert answer.status_code == 201, answer.text
    address = f"/user/marie/twins/runs/{answer.json()['id']}"

    def look() -> dict[str, object] | None:
        run: dict[str, object] = marie.ask("GET", address).json()
        return run if run["state"] != "running" else None

    return wait_until(look, 120, f"{phase} of {twin}") or {}


def test_moved_into_the_workspace_they_are_twins_of_page_and_programs(
    tree: Path, created: subprocess.CompletedProcess[str], marie: Person, inside: Shell
) -> None:
    """Their folders join ours, and a link keeps the paths in the scripts true; outputs then show on the page."""
    assert created.returncode == 0
    move = " && ".join(f"mkdir -p examples/{name} && cp -r examples/{name}/. {name}/" for name in FOLDERS)
    inside(marie, f"cd /workspace && {move} && rm -rf examples && ln -s . examples")
    for twin, phase in (("pair", "execute"), ("pair", "analyze"), ("listener", "create"), ("listener", "execute")):
        run = ended_run(marie, twin, phase)
        assert (run["state"], run["exit_code"]) == ("succeeded", 0), run
    check_results(tree / "data/pair")
    listed = files_of(marie.ask("GET", "/user/marie/twins/pair/outputs"))
    assert listed == {"output/outputs.csv": "csv", "output/plots/pair.png": "image"}
    series = marie.ask("GET", "/user/marie/twins/pair/outputs/output/outputs.csv/series?columns={follower}.behind.x")
    assert series.json()["rows_total"] == 41

    assert listeners(marie, inside), "what execute left behind goes on after it"
    answer = marie.ask("POST", "/user/marie/twins/listener/terminate")
    assert [run["state"] for run in answer.json()["runs"]] == ["succeeded"], answer.text
    wait_until(lambda: not listeners(marie, inside), 10, "the listener's end")
    assert not os.path.lexists(tree / "digital_twins/listener/listener.pid")


def files_of(answer: httpx2.Response) -> dict[str, str]:
    return {file["path"]: file["kind"] for file in answer.json()["files"]}


def test_commands_that_such_scripts_count_on_are_there(marie: Person, inside: Shell) -> None:
    """Nobody reads on after 'command not found'."""
    words = "bzip2 curl gpg jq killall make nohup pgrep pkill ps tmux unzip wget zip"
    missing = inside(marie, f"for word in {words}; do command -v $word >/dev/null || echo $word; done").stdout.split()
    assert missing == []


def test_root_of_ones_own_container_trusts_whom_the_owner_trusts(marie: Person, inside: Shell) -> None:
    """`sudo curl https://…` in a script would fail behind a proxy that inspects TLS, and only there."""
    kept = inside(marie, "sudo env").stdout.split()
    assert "SSL_CERT_FILE=/opt/twinhub/ca-certificates.crt" in kept
    assert "PIP_CERT=/opt/twinhub/ca-certificates.crt" in kept
