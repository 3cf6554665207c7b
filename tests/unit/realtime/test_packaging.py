"""What workspaces get of real-time twins."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from realtime.build import OF_THE_PLATFORM, digest

ROOM = Path(__file__).parents[3] / "realtime"


def test_workspaces_get_all_but_the_service() -> None:
    """A package that is left out fails where people's models run, and nowhere else."""
    folders = {file.parent.relative_to(ROOM) for file in ROOM.rglob("*.py")}
    wanted = {".".join(("realtime", *folder.parts)) for folder in folders if folder.parts[:1] != (OF_THE_PLATFORM,)}
    project = tomllib.loads((ROOM / "pyproject.toml").read_text())
    assert set(project["tool"]["setuptools"]["packages"]) == wanted


@pytest.mark.parametrize("module", ["realtime", "realtime.cli", "realtime.host.__main__", "realtime.worker.__main__"])
def test_what_runs_in_workspaces_needs_nothing_of_the_platform(module: str) -> None:
    """There is neither the service nor its libraries in a workspace."""
    code = (
        f"import sys, importlib; importlib.import_module({module!r}); "
        "print([name for name in sys.modules if name.split('.')[0] in ('twinhub', 'httpx2', 'starlette', 'pydantic')"
        " or name.startswith('realtime.service')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOM.parent)
    assert done.stdout.strip() == "[]"


def test_the_code_of_workspaces_has_a_digest_that_the_service_does_not_change() -> None:
    """Each change of the service would end everybody's workspaces."""
    assert digest() == digest()
    assert len(digest()) == 16
