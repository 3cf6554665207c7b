"""The shape of the code, held by reading it: who imports whom, who touches the world, how long a module is."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("twinhub", "hub", "gateway", "libms", "lifecycle", "realtime", "web", "tools")

ARROWS = {
    "twinhub": set(),
    "hub": {"twinhub", "gateway"},  # the hub writes its routes for the gateway's entry points
    "gateway": {"twinhub"},
    "libms": {"twinhub"},
    "web": {"twinhub"},
    "lifecycle": set(),
    "realtime": set(),  # its half that runs in workspaces; realtime/service/ is a part of the platform
    "tools": set(),  # taken along to where nothing of ours is
}
"""Which rooms a room may import. A new arrow is a decision, made here."""

OF_A_FOLDER: dict[tuple[str, ...], set[str]] = {
    ("twinhub", "operate"): {"twinhub", "hub", "gateway", "realtime"},  # puts the rooms together
    ("realtime", "service"): {"twinhub"},
}
"""Folders that may import more than the rest of their room."""


def modules() -> Iterator[Path]:
    for room in ROOMS:
        yield from sorted((ROOT / room).rglob("*.py"))


def imported_rooms(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.split(".")[0])
    return found & set(ROOMS)


@pytest.mark.parametrize("file", list(modules()), ids=lambda file: str(file.relative_to(ROOT)))
def test_rooms_import_only_what_the_design_allows(file: Path) -> None:
    """A shortcut between rooms today is a knot tomorrow."""
    relative = file.relative_to(ROOT)
    room = relative.parts[0]
    allowed = OF_A_FOLDER.get(relative.parts[:2], ARROWS[room])
    assert imported_rooms(file) - {room} <= allowed


def test_no_module_is_longer_than_500_lines() -> None:
    """Long modules are where projects of this kind rot."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.py", "*.js", "*.sh"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    files = [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]
    long = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in files}
    assert {name: lines for name, lines in long.items() if lines > 500} == {}
