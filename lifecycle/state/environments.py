"""What a run's programs ran in: the Python they find, its packages, the machine's kind."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from lifecycle.state.batches import Batch
from lifecycle.state.trees import Picture


def describe_environment(batch: Batch, pictures: list[Picture]) -> dict[str, Any]:
    """Give what may make the same program give other results; the list of packages is kept as a content."""
    system = os.uname()
    python = _find_python()
    version = _version_of(python)
    packages = "\n".join(_packages(version)).encode()
    return {
        "system": f"{system.sysname} {system.release}",
        "machine": system.machine,
        "python": version,
        "executable": python,
        "packages": batch.add_bytes(packages).sha256,
        "environments": _environments(pictures),
    }


def _find_python() -> str:
    """Give the interpreter that programs with `#!/usr/bin/env python3` get."""
    places = (f"{folder}/python3" for folder in os.get_exec_path())
    # Unlike pathlib's, this question has an answer for folders on PATH that may not be looked into.
    return next((place for place in places if os.path.isfile(place) and os.access(place, os.X_OK)), "")  # noqa: PTH113


def _version_of(python: str) -> str:
    """Ask an interpreter; a script that only chooses one is not asked, as what it answers depends on where it stands."""
    try:
        with Path(python).open("rb") as stream:
            if stream.read(2) == b"#!":
                return ""
        done = subprocess.run([python, "-V"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip().removeprefix("Python ")


def _packages(version: str) -> list[str]:
    """List what is installed for that Python, `name-version`, by the folders that installers leave."""
    minor = ".".join(version.split(".")[:2])
    folders = (
        Path("/usr/lib/python3/dist-packages"),
        Path(f"/usr/local/lib/python{minor}/dist-packages"),
        Path(f"/usr/local/lib/python{minor}/site-packages"),
        Path(os.path.expanduser("~"), f".local/lib/python{minor}/site-packages"),  # noqa: PTH111 - has an answer without a home
    )
    found: set[str] = set()
    for folder in folders:
        try:
            names = [entry.name for entry in folder.iterdir()]
        except OSError:
            continue
        found.update(name.removesuffix(".dist-info") for name in names if name.endswith(".dist-info"))
    return sorted(found)


def _environments(pictures: list[Picture]) -> dict[str, str]:
    """Give each virtual environment's Python version, by its folder."""
    found: dict[str, str] = {}
    for picture in pictures:
        for path in picture.skipped:
            settings = Path(picture.folder, path, "pyvenv.cfg")
            try:
                if not settings.is_file() or settings.stat().st_size > 1 << 16:
                    continue
                lines = settings.read_text(encoding="utf-8", errors="replace").splitlines()
            except OSError:
                continue
            values = dict(line.split("=", 1) for line in lines if "=" in line)
            versions = [value.strip() for key, value in values.items() if key.strip() in ("version", "version_info")]
            found[str(Path(picture.folder, path))] = versions[0] if versions else ""
    return found
