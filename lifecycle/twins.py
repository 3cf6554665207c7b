"""Find twins on disk."""

from __future__ import annotations

import functools
from pathlib import Path
from shlex import quote
from typing import Final

from lifecycle.errors import PhaseNotRunnable, PhaseNotSupported, TwinNotFound
from lifecycle.models import SPELLINGS, Phase, Twin, phase_from_name
from lifecycle.places import Places

DESCRIPTOR: Final = "twin.yaml"
LONGEST_NAME: Final = 255
"""Of a file, in any file system that counts."""


def list_twins(places: Places) -> list[Twin]:
    """Give every folder below digital_twins, by name; one without programs is a twin in the making."""
    if not places.twins.is_dir():
        return []
    folders = sorted(entry for entry in places.twins.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    return [_read_twin(folder) for folder in folders]


def is_plain(name: str) -> bool:
    """Tell whether a twin's name is that of one folder, and of no other place."""
    return name not in ("", ".", "..") and "/" not in name and "\0" not in name and len(name) <= LONGEST_NAME


def find_twin(places: Places, name: str, *, described: bool = True) -> Twin:
    """Give one twin; raises TwinNotFound for a name that is missing or not a plain folder name.

    Without its title and description it costs much less.
    """
    folder = places.twins / name
    if not is_plain(name) or not folder.is_dir():
        shown = name if len(name) <= 80 else name[:80] + "…"
        raise TwinNotFound(
            f"There is no twin {shown!r} in {places.twins}.",
            "'twin list' shows all; the names are those of the folders.",
        )
    if not described:
        return Twin(folder.name, folder, folder.name, "", _programs(folder / "lifecycle"))
    return _read_twin(folder)


def find_program(twin: Twin, phase_name: str) -> tuple[Phase, Path]:
    """Give a phase and its program; raises PhaseNotSupported, PhaseNotRunnable."""
    phase = phase_from_name(phase_name)
    if phase is None:
        raise PhaseNotSupported(f"{phase_name!r} is not a phase.", f"Phases are: {', '.join(Phase)}.")
    program = twin.programs.get(phase)
    if program is None:
        has = ", ".join(twin.phases) or "none yet"
        raise PhaseNotSupported(
            f"The twin {twin.name!r} has no phase '{phase}'; it has: {has}.",
            f"Add an executable file lifecycle/{phase} to {twin.path}.",
        )
    if not program.stat().st_mode & 0o111:
        raise PhaseNotRunnable(f"{program} is not executable.", f"In a terminal: chmod +x {quote(str(program))}")
    return phase, program


def _read_twin(folder: Path) -> Twin:
    title, description = "", ""
    try:
        status = (folder / DESCRIPTOR).stat()
    except OSError:
        pass
    else:
        title, description = _describe(folder, (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
    return Twin(folder.name, folder, title or folder.name, description, _programs(folder / "lifecycle"))


def _programs(folder: Path) -> dict[Phase, Path]:
    found = {}
    for phase in Phase:
        candidates = [folder / name for name in SPELLINGS.get(phase, (phase.value,))]
        program = next((file for file in candidates if file.is_file()), None)
        if program is not None:
            found[phase] = program
    return found


@functools.lru_cache(maxsize=512)
def _describe(folder: Path, _version: tuple[int, ...]) -> tuple[str, str]:
    """Give title and description; a descriptor with a mistake says so in the description."""
    from lifecycle.descriptor import DescriptorInvalid, read_reading  # noqa: PLC0415 - YAML costs; runs need no title

    try:
        reading = read_reading(folder)
    except DescriptorInvalid as error:
        return "", str(error)
    if reading is None:
        return "", ""
    found = reading.descriptor
    broken = str(DescriptorInvalid(DESCRIPTOR, reading.problems)) if reading.errors else ""
    return found.title, broken or found.description
