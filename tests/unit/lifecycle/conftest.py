"""A workspace with twins made of small shell programs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lifecycle.places import Places
from lifecycle.runs import Runs

MakeTwin = Callable[..., Path]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(tmp_path / "workspace", tmp_path / "runs")
    made.twins.mkdir(parents=True)
    return made


@pytest.fixture
def runs(places: Places) -> Iterator[Runs]:
    made = Runs(places, stop_grace_s=0.5)
    yield made
    for run in made.running():
        made.stop(run.id)


@pytest.fixture
def make_twin(places: Places) -> MakeTwin:
    """Make a twin: make_twin("name", execute="echo hello")."""

    def make(name: str, *, mode: int = 0o755, descriptor: str | None = None, **phases: str) -> Path:
        folder = places.twins / name
        (folder / "lifecycle").mkdir(parents=True)
        for phase, script in phases.items():
            program = folder / "lifecycle" / phase
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(mode)
        if descriptor is not None:
            (folder / "twin.yaml").write_text(descriptor)
        return folder

    return make
