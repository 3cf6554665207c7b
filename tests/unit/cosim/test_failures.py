"""FMUs that refuse, end, crash or cannot be loaded; simulations that are stopped."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cosim.fmus import HEADERS, SOURCE, Plant, write_fmu
from tests.unit.cosim.models import PARAMETERS, Done, environment, table

from cosim import FmuFailed  # isort: skip

Content = Callable[..., dict[str, Any]]
Command = Callable[..., Done]


def rows(file: Path) -> int:
    return len(file.read_text().splitlines()) - 1


@pytest.mark.parametrize("owner", ["{a}.p", "{b}.q"])
def test_a_refused_step_names_instance_time_and_what_the_fmu_said(two: Content, cosim: Command, owner: str) -> None:
    """'fmi2Error' alone sends a person through every FMU of the model."""
    done = cosim("run", two(parameters={**PARAMETERS, f"{owner}.reject_at": 0.505}))
    assert done.code == 1
    assert f"{owner} refused a step of 0.01 s at t = 0.5 s (status: discard)" in done.err
    assert "the plant does not like this step" in done.err
    assert "Traceback" not in done.err
    assert not (done.folder / "outputs.csv").exists()
    assert rows(done.folder / "outputs.partial.csv") == 51


def test_a_failed_run_leaves_the_last_complete_results_alone(two: Content, cosim: Command) -> None:
    """Results of an hour must not go because the next run fails in its first second."""
    cosim("run", two())
    before = (cosim("run", two()).folder / "outputs.csv").read_bytes()
    done = cosim("run", two(parameters={"{a}.p.reject_at": 0.505}), "--json")
    assert done.code == 1
    assert done.answer["error"]["code"] == "fmu_failed"
    assert (done.folder / "outputs.csv").read_bytes() == before


@pytest.mark.parametrize("owner", ["{a}.p", "{b}.q"])
def test_an_fmu_may_end_the_simulation(two: Content, cosim: Command, owner: str) -> None:
    """An FMU that has come to its end is no failure; what there is, is complete."""
    done = cosim("run", two(parameters={**PARAMETERS, f"{owner}.end_at": 0.505}))
    assert done.code == 0, done.err
    assert f"{owner} ended the simulation at t = 0.5" in done.out
    assert rows(done.folder / "outputs.csv") == 51


@pytest.mark.parametrize("owner", ["{a}.p", "{b}.q"])
def test_a_crash_is_told_in_words_with_instance_and_time(two: Content, cosim: Command, owner: str) -> None:
    """'Segmentation fault' says neither which FMU nor when."""
    done = cosim("run", two(parameters={**PARAMETERS, f"{owner}.crash_at": 0.505}))
    assert done.code == 1
    assert "crashed with SIGSEGV" in done.err
    assert f"in a step of {owner} at t = 0.5 s" in done.err
    assert "Traceback" not in done.err
    told = cosim("run", two(parameters={**PARAMETERS, f"{owner}.crash_at": 0.505}), "--json")
    assert (told.code, told.answer["error"]["code"]) == (1, "fmu_crashed")


def test_an_fmu_that_ends_the_process_is_told(tmp_path: Path, cosim: Command) -> None:
    """A library that calls exit() on an error looks like a simulation that went well."""
    step = "import os; os._exit(0) if now > 0.45 else None; return True"
    file = build_python_fmu(tmp_path / "b", "Pump", SLAVE.format(name="Pump", imports="", step=step))
    done = cosim("run", one(file))
    assert done.code == 1
    assert "An FMU ended the process (exit code 0) in a step of {f}.i at t = 0.5 s" in done.err


def test_a_crash_after_a_failure_does_not_hide_it(two: Content, cosim: Command) -> None:
    """The failure is the cause, and what a person has to mend."""
    done = cosim("run", two(parameters={"{a}.p.crash_free": 1.0, "{b}.q.reject_at": 0.505}))
    assert done.code == 1
    assert "{b}.q refused a step" in done.err
    assert "SIGSEGV" not in done.err


def test_a_crash_after_the_end_does_not_lose_the_results(two: Content, cosim: Command) -> None:
    """Some FMUs crash when they are freed; an hour of simulation stands all the same."""
    done = cosim("run", two(parameters={"{a}.p.crash_free": 1.0}))
    assert done.code == 0
    assert "while {a}.p was ended" in done.err
    assert rows(done.folder / "outputs.csv") == 101


def test_nothing_unpacked_stays_behind(two: Content, cosim: Command, tmp_path: Path, monkeypatch: Any) -> None:
    """A sweep of a thousand runs must not fill the disk."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    for parameters in ({}, {"{a}.p.reject_at": 0.505}, {"{a}.p.crash_at": 0.505}):
        cosim("run", two(parameters=parameters))
    assert list(scratch.iterdir()) == []


def test_a_library_that_is_not_there_is_named(
    libraries: dict[int, Path], tmp_path: Path, two: Content, cosim: Command
) -> None:
    """FMUs of other tools need their tool's libraries, and the loader's own words name one at best."""
    absent = tmp_path / "libabsent.so"
    subprocess.run(["gcc", "-shared", "-o", absent, "-x", "c", "/dev/null"], check=True, timeout=60)
    library = tmp_path / "needy.so"
    command = ["gcc", "-shared", "-fPIC", "-DFMI=2", f"-I{HEADERS}", "-o", library, SOURCE, "-Wl,--no-as-needed"]
    subprocess.run([*command, f"-L{tmp_path}", "-labsent", "-lm"], check=True, timeout=60)
    absent.unlink()
    needy = write_fmu(tmp_path / "Needy.fmu", library, Plant())
    content = two(connections={}, parameters={}, logVariables={"{a}.p": ["x"]})
    content["fmus"]["{a}"] = str(needy)
    done = cosim("run", content)
    assert done.code == 2
    assert "Install what it needs and this machine lacks: libabsent.so" in done.err


def test_a_binary_that_is_none_is_told(fmu: Callable[..., Path], two: Content, cosim: Command, tmp_path: Path) -> None:
    """A binary cut short in a copy is found by its words."""
    (tmp_path / "short.so").write_bytes(b"\x7fELF cut short")
    content = two(connections={}, parameters={}, logVariables={"{a}.p": ["x"]})
    content["fmus"]["{a}"] = str(write_fmu(tmp_path / "Short.fmu", tmp_path / "short.so", Plant()))
    done = cosim("run", content)
    assert done.code == 2
    assert "The binary of {a}.p (Short.fmu) cannot be loaded" in done.err


def build_python_fmu(folder: Path, name: str, body: str) -> Path:
    """Build an FMU from a Python class with pythonfmu."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name.lower()}.py").write_text(body)
    command = [sys.executable, "-m", "pythonfmu", "build", "-f", f"{name.lower()}.py", "-d", "."]
    subprocess.run(command, cwd=folder, check=True, timeout=60, capture_output=True)
    return folder / f"{name}.fmu"


SLAVE = """
from pythonfmu import Fmi2Causality, Fmi2Slave, Real

{imports}

class {name}(Fmi2Slave):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.y = 0.0
        self.register_variable(Real("y", causality=Fmi2Causality.output))

    def do_step(self, now, size):
        {step}
"""


def one(file: Path, **keys: Any) -> dict[str, Any]:
    algorithm = {"type": "fixed-step", "size": 0.1}
    return {"fmus": {"{f}": str(file)}, "logVariables": {"{f}.i": ["y"]}, "algorithm": algorithm, "endTime": 1.0} | keys


def test_an_exception_within_a_python_fmu_is_told(tmp_path: Path, cosim: Command) -> None:
    """Whoever writes FMUs in Python wants the line that failed."""
    step = (
        'return self.fail() if now > 0.45 else True\n\n    def fail(self):\n        raise ValueError("the pump is dry")'
    )
    file = build_python_fmu(tmp_path / "b", "Pump", SLAVE.format(name="Pump", imports="", step=step))
    done = cosim("run", one(file))
    assert done.code == 1
    assert "{f}.i refused a step of 0.1 s at t = 0.5 s" in done.err
    assert "the pump is dry" in done.err


def test_a_python_fmu_that_needs_a_package_says_which(tmp_path: Path, cosim: Command) -> None:
    """FMUs that were built elsewhere import what is not installed here."""
    folder = tmp_path / "b"
    (folder / "nowhere_to_be_found").mkdir(parents=True)
    (folder / "nowhere_to_be_found" / "__init__.py").write_text("")
    text = SLAVE.format(name="Pump", imports="import nowhere_to_be_found", step="return True")
    done = cosim("run", one(build_python_fmu(folder, "Pump", text)))
    assert done.code in {1, 2}
    assert "nowhere_to_be_found" in done.err or "It is written in Python" in done.err
    assert "Traceback" not in done.err.split("cosim: ")[-1]


def test_an_fmu_that_was_built_anew_runs_anew_in_the_same_process(tmp_path: Path) -> None:
    """In a notebook one changes the model and simulates again."""
    for number in (1, 2):
        step = f"self.y = {number}.0; return True"
        file = build_python_fmu(tmp_path / "b", "Pump", SLAVE.format(name="Pump", imports="", step=step))
        assert table(one(file)).table[-1][1:] == [float(number)]
    assert not [entry for entry in sys.path if "cosim-" in entry]


def test_two_python_fmus_with_modules_of_one_name_keep_apart(tmp_path: Path) -> None:
    """Both share this interpreter: the second one would silently compute with the first one's code."""
    files = []
    for number in (1, 2):
        step = f"self.y = {number}.0; return True"
        files.append(build_python_fmu(tmp_path / str(number), "Pump", SLAVE.format(name="Pump", imports="", step=step)))
    content = one(files[0], fmus={"{f}": str(files[0]), "{g}": str(files[1])})
    content["logVariables"] = {"{f}.i": ["y"], "{g}.j": ["y"]}
    assert table(content).table[-1][1:] == [1.0, 2.0]


@pytest.mark.parametrize(("wish", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_simulation_frees_its_fmus_and_keeps_its_rows(
    two: Content, tmp_path: Path, wish: signal.Signals, code: int
) -> None:
    """People stop long simulations, and want what there is by then."""
    file = tmp_path / "m.json"
    file.write_text(json.dumps(two(endTime=1e9)))
    command = [sys.executable, "-m", "cosim", "run", str(file)]
    with subprocess.Popen(command, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        running.stderr.readline()
        running.send_signal(wish)
        said = running.stderr.read()
        assert running.wait(30) == code
    assert "Stopped at t = " in said
    assert "outputs.partial.csv" in said
    assert rows(tmp_path / "outputs.partial.csv") >= 2
    assert not (tmp_path / "outputs.csv").exists()


def test_the_simulation_dies_with_the_command(two: Content, tmp_path: Path, monkeypatch: Any) -> None:
    """A killed run must not go on computing unseen, nor leave its FMUs on the disk."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    file = tmp_path / "m.json"
    file.write_text(json.dumps(two(endTime=1e9)))
    command = [sys.executable, "-m", "cosim", "run", str(file)]
    with subprocess.Popen(command, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        running.stderr.readline()
        running.kill()
        # The pipe ends when nobody holds it any more, the child process included.
        reader = threading.Thread(target=running.stderr.read)
        reader.start()
        reader.join(30)
        assert not reader.is_alive()
    assert list(scratch.iterdir()) == []


def test_an_exception_of_the_program_passes_through_and_frees_the_fmus(two: Content) -> None:
    """A notebook runs on after a mistake; the FMUs must be gone by then."""
    held: list[Any] = []

    def fail(run: Any) -> None:
        held.append(run)
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        table(two(), on_step=fail)
    assert not any(instance._alive for instance in held[0]._assembly.instances.values())


def test_a_full_disk_is_told(two: Content, cosim: Command) -> None:
    """Where results cannot be written, the message names the place."""
    done = cosim("run", two(), "--output", "/dev/null/results")
    assert done.code == 1
    assert "/dev/null/results/outputs.partial.csv cannot be written" in done.err


def test_real_time_is_no_faster_than_the_clock(two: Content) -> None:
    """Twins that speak with the outside world run at its pace."""
    began = time.monotonic()
    table(two(endTime=0.3, simulationProgramDelay=True))
    assert time.monotonic() - began >= 0.29


def test_failures_in_a_program_are_exceptions_with_a_remedy(two: Content) -> None:
    """Programs catch what they can mend."""
    with pytest.raises(FmuFailed) as failed:
        table(two(parameters={"{a}.p.largest": 0.001}))
    assert "{a}.p" in failed.value.what
    assert failed.value.fix
