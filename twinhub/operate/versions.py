"""Which versions of the code an installation has: the one that runs, and the one before."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from twinhub.operate.supervisor import Supervisor, SupervisorUnreachable
from twinhub.places import Places


@dataclass(frozen=True)
class Versions:
    """Commands `twinhub` of versions, by their paths."""

    current: str
    previous: str = ""
    backup: str = ""
    """What was kept of accounts and settings before the last change of versions."""


def own_command() -> str:
    """Name the command of the code that runs here."""
    return str(Path(sys.executable).parent / "twinhub")


def _file(places: Places) -> Path:
    return places.data_dir / "app" / "versions.json"


def read_versions(places: Places) -> Versions | None:
    """Read what is noted; None for an installation that noted nothing yet."""
    try:
        row = json.loads(_file(places).read_text())
        return Versions(str(row["current"]), str(row["previous"]), str(row["backup"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_versions(places: Places, versions: Versions) -> None:
    """Note which version runs from now on."""
    file = _file(places)
    file.parent.mkdir(mode=0o755, exist_ok=True)
    part = file.with_suffix(".part")
    part.write_text(json.dumps(asdict(versions)) + "\n")
    part.replace(file)


def runnable(command: str) -> bool:
    """Tell whether a version is still there."""
    return bool(command) and Path(command).is_file()


def remove_others(places: Places, versions: Versions) -> None:
    """Remove code of versions that are neither noted nor running; checkouts elsewhere are not ours to remove."""
    kept = {versions.current, versions.previous, own_command(), _of_supervisor(places)}
    folder = places.data_dir / "app"
    for version in folder.iterdir() if folder.is_dir() else ():
        is_version = (version / "venv").is_dir()
        if is_version and not any(Path(command).is_relative_to(version) for command in kept if command):
            shutil.rmtree(version, ignore_errors=True)


def _of_supervisor(places: Places) -> str:
    """Name the code from which the supervisor runs: it outlives changes of versions."""
    try:
        pid = Supervisor(places).pid()
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
    except (SupervisorUnreachable, OSError, ValueError):
        return ""
