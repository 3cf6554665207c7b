"""An example in a temporary workspace, and its phases run as a user runs them."""

from __future__ import annotations

import csv
import importlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"

LayOut = Callable[..., "Example"]
"""`lay_out("incubator")`, or `lay_out("incubator", name="mine")` for a copy under another name."""


@dataclass(frozen=True)
class Example:
    """One example, copied into a workspace of its own."""

    workspace: Path
    name: str

    @property
    def twin(self) -> Path:
        return self.workspace / "digital_twins" / self.name

    @property
    def outputs(self) -> Path:
        return self.workspace / "data" / self.name

    def environment(self, parameters: dict[str, Any]) -> dict[str, str]:
        """Give a phase's environment; with parameters, as a run hands them over, else as a terminal has it."""
        given = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": f"{ROOT / 'workspace-image' / 'this_twin'}:{ROOT / 'tools' / 'cosim'}",
            "PYTHONUNBUFFERED": "1",
            "OMP_NUM_THREADS": "1",
            "EXAMPLE_WORKSPACE": str(self.workspace),
        }
        if parameters:
            described = yaml.safe_load((self.twin / "twin.yaml").read_text(encoding="utf-8"))["parameters"]
            unknown = parameters.keys() - described.keys()
            assert not unknown, f"{self.name} has no parameters {unknown}"
            values = {name: about["default"] for name, about in described.items()} | parameters
            file = self.workspace / "parameters.json"
            file.write_text(json.dumps(values), encoding="utf-8")
            given["TWIN_PARAMETERS"] = str(file)
        return {**os.environ, **given}

    def run(self, phase: str, *, timeout_s: float = 60, **parameters: Any) -> subprocess.CompletedProcess[str]:
        """Run a phase to its end."""
        return subprocess.run(
            [f"lifecycle/{phase}"],
            cwd=self.twin,
            env=self.environment(parameters),
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )

    def done(self, phase: str, *, timeout_s: float = 60, **parameters: Any) -> str:
        """Run a phase that has to succeed, and give what it printed."""
        ended = self.run(phase, timeout_s=timeout_s, **parameters)
        assert ended.returncode == 0, f"{phase} ended with {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def start(self, phase: str, **parameters: Any) -> subprocess.Popen[str]:
        """Start a phase and leave it running, in a session of its own as a run has one; its output is a pipe."""
        return subprocess.Popen(
            [f"lifecycle/{phase}"],
            cwd=self.twin,
            env=self.environment(parameters),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def columns(self, file: str) -> dict[str, NDArray[np.float64]]:
        """Give the columns of numbers of a CSV output; an empty field is nan, columns of words are left out."""
        with (self.outputs / file).open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        found = {}
        for name in rows[0]:
            try:
                found[name] = np.array([float(row[name] or "nan") for row in rows])
            except ValueError:
                continue
        return found

    def module(self, name: str, *assets: str) -> ModuleType:
        """Import a module of the example that lies in one of these assets, which may import each other.

        Nothing of it stays in `sys.modules`: another example may well have a module of the same name.
        """
        sys.path[:0] = [str(self.workspace / asset) for asset in assets]
        try:
            return importlib.import_module(name)
        finally:
            del sys.path[: len(assets)]
            for known, module in list(sys.modules.items()):
                if str(getattr(module, "__file__", None)).startswith(f"{self.workspace}/"):
                    del sys.modules[known]

    def processes(self) -> dict[int, str]:
        """Give whatever still runs of this workspace: process ids and command lines."""
        mark = f"EXAMPLE_WORKSPACE={self.workspace}\0".encode()
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (entry / "environ").read_bytes() + b"\0":
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
        return found

    def left_behind(self, within_s: float = 5) -> dict[int, str]:
        """Give what still runs after some time; nothing, as soon as nothing does."""
        deadline = time.monotonic() + within_s
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return left


@pytest.fixture(scope="module")
def lay_out(tmp_path_factory: pytest.TempPathFactory) -> LayOut:
    """Put an example into a new workspace, as a new user finds it."""

    def copy(example: str, *, name: str | None = None) -> Example:
        workspace = tmp_path_factory.mktemp("workspace")
        shutil.copytree(EXAMPLES / example, workspace, dirs_exist_ok=True)
        laid_out = Example(workspace, name or example)
        if name:
            (workspace / "digital_twins" / example).rename(laid_out.twin)
        return laid_out

    return copy
