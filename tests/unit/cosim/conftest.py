"""What the tests of `cosim` share: compiled FMUs, models made of them, the command."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cosim.fmus import Plant, compile_plant, write_fmu
from tests.unit.cosim.models import LINKS, PARAMETERS, Done, environment


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """The plant's binary for FMI 2 and FMI 3."""
    folder = tmp_path_factory.mktemp("plants")
    return {version: compile_plant(folder, version) for version in (2, 3)}


@pytest.fixture
def fmu(libraries: dict[int, Path], tmp_path: Path) -> Callable[..., Path]:
    """Makes an FMU of the plant: fmu("A.fmu", version=3, …)."""

    def make(file: str = "Plant.fmu", **different: Any) -> Path:
        plant = Plant(**different)
        return write_fmu(tmp_path / file, libraries[plant.version], plant)

    return make


@pytest.fixture
def two(fmu: Callable[..., Path]) -> Callable[..., dict[str, Any]]:
    """Makes the content of a model of two plants that feed each other, an FMI 2 and an FMI 3 one."""

    def make(**keys: Any) -> dict[str, Any]:
        fmus = {"{a}": str(fmu("A.fmu")), "{b}": str(fmu("B.fmu", version=3))}
        algorithm = {"type": "fixed-step", "size": 0.01}
        given = {"fmus": fmus, "connections": LINKS, "parameters": PARAMETERS, "algorithm": algorithm, "endTime": 1.0}
        return given | keys

    return make


@pytest.fixture
def cosim(tmp_path: Path) -> Callable[..., Done]:
    """Runs the command: cosim("run", "m.json"); a dictionary becomes a file."""

    def run(*arguments: Any) -> Done:
        words = []
        for argument in arguments:
            if isinstance(argument, dict):
                file = tmp_path / f"model{len(words)}.json"
                file.write_text(json.dumps(argument))
                words.append(str(file))
            else:
                words.append(str(argument))
        done = subprocess.run(
            [sys.executable, "-m", "cosim", *words],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return Done(done.returncode, done.stdout, done.stderr, tmp_path)

    return run
