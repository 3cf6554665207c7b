"""`python -m benchmarks.lifecycle_run [--many]`: what a run costs over its bare script, and how long its history takes.

The command is measured as workspaces have it: installed in an environment of its
own, with its modules compiled, and nothing else that an interpreter's start would load.
"""

import compileall
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

from benchmarks.installed import show
from lifecycle.history import History
from lifecycle.places import Places

ROUNDS = 20
LISTED = 1000
MANY = 100_000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        places = Places(Path(folder) / "workspace", Path(folder) / "runs")
        measure_run(places, install(Path(folder) / "environment"))
        for count in (LISTED, MANY) if "--many" in sys.argv else (LISTED,):
            measure_history(places, Path(folder) / "environment" / "bin" / "twin", count)


def install(folder: Path) -> Path:
    """Install the command with the two packages that it needs; give it."""
    venv.create(folder, with_pip=False)
    packages = next(folder.glob("lib/python*/site-packages"))
    for name in ("click", "yaml", "lifecycle"):
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        shutil.copytree(Path(spec.origin).parent, packages / name)
    compileall.compile_dir(packages, quiet=1)
    command = folder / "bin" / "twin"
    command.write_text(f"#!{folder}/bin/python\nimport sys\nfrom lifecycle.command import main\nsys.exit(main())\n")
    command.chmod(0o755)
    return command


def measure_run(places: Places, command: Path) -> None:
    plain = make_twin(places, "plain", "")
    described = make_twin(places, "described", "parameters: {level: {type: real, default: 1, range: [0, 5]}}\n")
    bare, runs, with_descriptor, started = [], [], [], []
    for _ in range(ROUNDS):  # in turns, so that what else the machine does meets all alike
        bare.append(timed(places, ["lifecycle/execute"], plain))
        runs.append(timed(places, [str(command), "run", "plain", "execute"], plain))
        with_descriptor.append(
            timed(places, [str(command), "run", "described", "execute", "--set", "level=2"], described)
        )
        started.append(timed(places, [sys.executable, "-I", "-S", "-c", ""], plain))
    show("bare script", bare, "ms")
    show("for comparison: a Python that does nothing", started, "ms")
    show("twin run, over the bare script", over(runs, bare), "ms")
    show("twin run --set, with a descriptor, over it", over(with_descriptor, bare), "ms")


def over(longer: list[float], shorter: list[float]) -> list[float]:
    return [long - short for long, short in zip(longer, shorter, strict=True)]


def make_twin(places: Places, name: str, descriptor: str) -> Path:
    folder = places.twins / name
    (folder / "lifecycle").mkdir(parents=True)
    (folder / "lifecycle" / "execute").write_text("#!/bin/sh\ntrue\n")
    (folder / "lifecycle" / "execute").chmod(0o755)
    if descriptor:
        (folder / "twin.yaml").write_text(descriptor)
        hour_ago = time.time() - 3600  # as descriptors are that are run, not edited
        os.utime(folder / "twin.yaml", (hour_ago, hour_ago))
    return folder


def timed(places: Places, words: list[str], folder: Path) -> float:
    began_s = time.perf_counter()
    environment = {**os.environ, "TWINHUB_WORKSPACE": str(places.workspace), "TWINHUB_RUNS": str(places.runs)}
    nothing = subprocess.DEVNULL
    subprocess.run(words, cwd=folder, env=environment, stdout=nothing, stderr=nothing, check=True)
    return (time.perf_counter() - began_s) * 1000


def measure_history(places: Places, command: Path, count: int) -> None:
    make_records(places, count)
    History(places).latest(limit=count)  # the index that the runs themselves would have left
    name = f"of {count:,}"
    show(f"list {LISTED:,} runs {name}, asked first", [listed(History(places)) for _ in range(5)], "ms")
    server = History(places)
    show(f"list {LISTED:,} runs {name}, asked again", [listed(server) for _ in range(6)][1:], "ms")
    show(f"list {LISTED:,} of one twin {name}, again", [listed(server, "t1") for _ in range(6)][1:], "ms")
    words = [str(command), "history", "-n", str(LISTED)]
    show(f"twin history -n {LISTED} {name}", [timed(places, words, places.workspace) for _ in range(5)], "ms")


def listed(history: History, twin: str | None = None) -> float:
    began_s = time.perf_counter()
    json.dumps([run.as_json() for run in history.latest(twin, LISTED)])
    return (time.perf_counter() - began_s) * 1000


def make_records(places: Places, count: int) -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(count):
        when = begin + timedelta(seconds=number)
        folder = places.runs / f"{when:%Y%m%dT%H%M%S}000-{number:06x}"
        if folder.exists():
            continue
        folder.mkdir(parents=True)
        content = {
            "id": folder.name,
            "twin": f"t{number % 3}",
            "phase": "execute",
            "state": "succeeded",
            "started": when.isoformat(timespec="milliseconds"),
            "ended": (when + timedelta(seconds=7)).isoformat(timespec="milliseconds"),
            "outputs": f"/workspace/data/t{number % 3}",
            "exit_code": 0,
            "parameters": {"level": 1.5, "valve": "open"},
            "peak_memory_bytes": 12_345_678,
            "cpu_s": 6.5,
        }
        (folder / "run.json").write_text(json.dumps(content))


if __name__ == "__main__":
    main()
