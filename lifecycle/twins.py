"""Find twins on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

from lifecycle.errors import PhaseNotRunnable, PhaseNotSupported, TwinError, TwinNotFound
from lifecycle.models import SPELLINGS, Phase, Twin, phase_from_name
from lifecycle.places import Places

DESCRIPTOR: Final = "twin.yaml"
LARGEST_DESCRIPTOR_BYTES: Final = 256 * 1024


class DescriptorUnreadable(TwinError):
    """The twin's descriptor cannot be used; the twin itself still runs."""

    code = "descriptor_unreadable"


def list_twins(places: Places) -> list[Twin]:
    """Give every folder below digital_twins, by name; one without programs is a twin in the making."""
    if not places.twins.is_dir():
        return []
    folders = sorted(entry for entry in places.twins.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    return [_read_twin(folder) for folder in folders]


def find_twin(places: Places, name: str) -> Twin:
    """Give one twin; raises TwinNotFound for a name that is missing or not a plain folder name."""
    folder = places.twins / name
    plain = name not in ("", ".", "..") and "/" not in name and "\0" not in name
    if not plain or not folder.is_dir():
        shown = name if len(name) <= 80 else name[:80] + "…"
        raise TwinNotFound(
            f"There is no twin {shown!r} in {places.twins}.",
            "'twin list' shows all; the names are those of the folders.",
        )
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
        raise PhaseNotRunnable(f"{program} is not executable.", f"In a terminal: chmod +x '{program}'")
    return phase, program


def _read_twin(folder: Path) -> Twin:
    descriptor = _describe(folder)
    return Twin(
        name=folder.name,
        path=folder,
        title=_words(descriptor.get("title")) or folder.name,
        description=_words(descriptor.get("description")),
        programs=_programs(folder / "lifecycle"),
    )


def _programs(folder: Path) -> dict[Phase, Path]:
    found = {}
    for phase in Phase:
        candidates = [folder / name for name in SPELLINGS.get(phase, (phase.value,))]
        program = next((file for file in candidates if file.is_file()), None)
        if program is not None:
            found[phase] = program
    return found


def _words(value: Any) -> str:
    return value[:2000] if isinstance(value, str) else ""


def _describe(folder: Path) -> dict[str, Any]:
    """Give the descriptor's content for display; one that cannot be read says so in the description."""
    try:
        return read_descriptor(folder)
    except DescriptorUnreadable as error:
        return {"description": str(error)}


def read_descriptor(folder: Path) -> dict[str, Any]:
    """Read a twin's descriptor; raises DescriptorUnreadable. A missing one is empty."""
    file = folder / DESCRIPTOR
    try:
        if not file.is_file():
            return {}
        if file.stat().st_size > LARGEST_DESCRIPTOR_BYTES:
            raise DescriptorUnreadable(
                f"{file} is larger than {LARGEST_DESCRIPTOR_BYTES // 1024} KiB.", "Keep data in files of its own."
            )
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        reason = " ".join(str(error).split())[:300]
        raise DescriptorUnreadable(f"{file} cannot be read: {reason}.", "Correct it in an editor.") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise DescriptorUnreadable(f"{file} does not hold keys and values.", "Write lines like 'title: My twin'.")
    return content
