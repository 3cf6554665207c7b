"""Build co-simulation FMUs from classes in Python (pythonfmu), when their sources are newer than they are."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path


def build_fmus(folder, scripts, helpers=()):
    """Build the FMU of each script into its folder, `helpers` being modules that the scripts import.

    scripts: {"Tank": "tank.py"}, the class's name and its file; the FMU is folder/Tank.fmu.
    """
    newest_helper = max((Path(folder, name).stat().st_mtime for name in helpers), default=0)
    for name, script in scripts.items():
        built, source = Path(folder, f"{name}.fmu"), Path(folder, script)
        if built.exists() and built.stat().st_mtime >= max(source.stat().st_mtime, newest_helper):
            continue
        print(f"building {built.name}", flush=True)
        # Aside first: a run in another window never sees half an FMU.
        with tempfile.TemporaryDirectory(dir=folder, prefix=".building-") as aside:
            command = [sys.executable, "-m", "pythonfmu", "build", "-f", script, "-d", aside, *helpers]
            path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
            environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
            done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
            made = Path(aside, built.name)
            if done.returncode or not made.exists():
                sys.exit(f"{built} could not be built from {source}:\n{done.stdout}{done.stderr}")
            made.replace(built)
