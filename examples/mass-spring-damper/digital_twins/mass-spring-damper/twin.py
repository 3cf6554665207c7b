"""What the phases of this twin share: where things are, its parameters, its FMUs."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

TWIN = Path(__file__).resolve().parent
WORKSPACE = TWIN.parents[1]
MODELS = WORKSPACE / "models" / "mass-spring-damper"
OUTPUTS = WORKSPACE / "data" / "mass-spring-damper"
RESULTS = OUTPUTS / "outputs.csv"
PLOT = OUTPUTS / "plot.png"
FMUS = {"Mass1": "mass1.py", "Mass2": "mass2.py"}


def parameters():
    """Give every parameter's value from twin.yaml."""
    described = yaml.safe_load((TWIN / "twin.yaml").read_text(encoding="utf-8"))["parameters"]
    return {name: float(about["default"]) for name, about in described.items()}


def fmu(name):
    """Give the file of an FMU."""
    return MODELS / f"{name}.fmu"


def build_fmus():
    """Build the FMUs whose sources are newer than they are."""
    sources = [MODELS / file for file in ("oscillator.py", *FMUS.values())]
    newest = max(file.stat().st_mtime for file in sources)
    for name, script in FMUS.items():
        if fmu(name).exists() and fmu(name).stat().st_mtime >= newest:
            continue
        print(f"building {name}.fmu", flush=True)
        command = [sys.executable, "-m", "pythonfmu", "build", "-f", script, "-d", str(MODELS), "oscillator.py"]
        done = subprocess.run(
            command,
            cwd=MODELS,
            env={**os.environ, "PYTHONPATH": str(MODELS)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or not fmu(name).exists():
            sys.exit(f"{name}.fmu could not be built from {MODELS / script}:\n{done.stderr}")
