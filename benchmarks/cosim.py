"""`python -m benchmarks.cosim`: 10,000 steps of two FMUs by `cosim`, against a plain loop of FMPy calls.

Both simulate the example mass-spring-damper in this process, with the same reads,
writes and CSV output, and take turns so that a busy machine hits both.
The loop is what one writes by hand: FMPy's getReal and setReal, csv.writer. Once
with all that starts and ends a simulation, as both do for themselves; the files of
the results must be the same to the last digit.
"""

import csv
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools" / "cosim"))

from cosim import CsvResults, Multimodel, simulate  # noqa: E402
from fmpy import extract, read_model_description  # noqa: E402
from fmpy.fmi2 import FMU2Slave  # noqa: E402

EXAMPLE = ROOT / "examples" / "mass-spring-damper"
ROUNDS = 9
STEPS = 10_000
STEP_S = 0.001
LINKS = (("one", "x1"), ("one", "v1"), ("two", "fk"))
LOGGED = (("two", "x2"), ("two", "v2"))


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fmus = build(folder)
        alone, ours = [], []
        for _ in range(ROUNDS):
            alone.append(timed(lambda: with_fmpy_alone(fmus, folder / "alone.csv")))
            ours.append(timed(lambda: with_cosim(fmus, folder)))
            assert (folder / "alone.csv").read_text() == (folder / "outputs.csv").read_text()
        show("FMPy alone", alone)
        show("cosim", ours)
        ratio = statistics.median(mine / theirs for mine, theirs in zip(ours, alone, strict=True))
        print(f"{'cosim / FMPy alone, median of pairs':<44} {ratio:8.2f}")


def build(folder: Path) -> dict[str, Path]:
    """Build the example's FMUs in a copy of it."""
    shutil.copytree(EXAMPLE, folder / "workspace")
    twin = folder / "workspace" / "digital_twins" / "mass-spring-damper"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run([twin / "lifecycle" / "create"], cwd=twin, env={**os.environ, "PATH": path}, check=True, stdout=2)
    models = folder / "workspace" / "models" / "mass-spring-damper"
    return {"one": models / "Mass1.fmu", "two": models / "Mass2.fmu"}


def with_cosim(fmus: dict[str, Path], folder: Path) -> None:
    model = {
        "fmus": {f"{{{name}}}": str(file) for name, file in fmus.items()},
        "connections": {
            "{one}.one.x1": ["{two}.two.x1"],
            "{one}.one.v1": ["{two}.two.v1"],
            "{two}.two.fk": ["{one}.one.fk"],
        },
        "logVariables": {"{two}.two": ["x2", "v2"]},
        "algorithm": {"type": "fixed-step", "size": STEP_S},
        "endTime": STEPS * STEP_S,
    }
    done = simulate(Multimodel.of(model), results=CsvResults(folder))
    assert done["rows"] == STEPS + 1


def with_fmpy_alone(fmus: dict[str, Path], file: Path) -> None:
    loaded = {name: load(name, path) for name, path in fmus.items()}
    one, two = loaded["one"][0], loaded["two"][0]
    first = [loaded["one"][1][name] for name in ("x1", "v1")]
    force = [loaded["one"][1]["fk"]]
    motion = [loaded["two"][1][name] for name in ("x1", "v1")]
    second = [loaded["two"][1][name] for name in ("fk", "x2", "v2")]
    two.setReal(motion, one.getReal(first))
    one.setReal(force, two.getReal(second)[:1])
    for slave in (one, two):
        slave.exitInitializationMode()
    now = 0.0
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["time", *(f"{{{owner}}}.{owner}.{name}" for owner, name in LINKS + LOGGED)])
        for count in range(STEPS + 1):
            if count:
                one.doStep(now, STEP_S)
                two.doStep(now, STEP_S)
                now += STEP_S
            x1, v1 = one.getReal(first)
            fk, x2, v2 = two.getReal(second)
            two.setReal(motion, [x1, v1])
            one.setReal(force, [fk])
            writer.writerow([now, x1, v1, fk, x2, v2])
    for slave, _, folder in loaded.values():
        slave.terminate()
        slave.freeInstance()
        shutil.rmtree(folder)


def load(name: str, path: Path) -> tuple[FMU2Slave, dict[str, int], Path]:
    described = read_model_description(str(path))
    folder = extract(str(path))
    identifier = described.coSimulation.modelIdentifier
    slave = FMU2Slave(guid=described.guid, unzipDirectory=folder, instanceName=name, modelIdentifier=identifier)
    slave.instantiate()
    slave.setupExperiment(startTime=0.0)
    slave.enterInitializationMode()
    return slave, {variable.name: variable.valueReference for variable in described.modelVariables}, folder


def timed(work) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def show(what: str, seconds: list[float]) -> None:
    low, high = min(seconds), max(seconds)
    print(f"{what:<44} {statistics.median(seconds):8.3f} s  ({low:.3f} to {high:.3f}, n={len(seconds)})")


if __name__ == "__main__":
    main()
