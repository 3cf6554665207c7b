"""What an FMU says about itself, for people and programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from cosim.errors import FmuRefused
from cosim.fmu_files import open_fmu
from cosim.units import unit_of

_COLUMNS: Final = ("name", "causality", "variability", "type", "unit", "start", "description")


def describe(path: Path) -> dict[str, Any]:
    """Read an FMU's description; raise FmuRefused when it is none that could run here."""
    if not path.exists():
        raise FmuRefused(f"There is no file {path}.", "Check the path and where you stand.")
    fmu = open_fmu(path)
    about = fmu.description
    return {
        "file": str(path),
        "model": about.modelName,
        "description": about.description,
        "fmi_version": about.fmiVersion,
        "tool": about.generationTool,
        "platforms": fmu.platforms(),
        "saves_state": about.coSimulation.canGetAndSetFMUstate,
        "variable_step": about.coSimulation.canHandleVariableCommunicationStepSize,
        "warnings": [problem.as_json() for problem in fmu.warnings],
        "variables": [_variable(variable) for variable in about.modelVariables],
    }


def _variable(variable: Any) -> dict[str, Any]:
    return {
        "name": variable.name,
        "causality": variable.causality,
        "variability": variable.variability,
        "type": variable.type + ("[" + ",".join(map(str, variable.shape)) + "]" if variable.shape else ""),
        "unit": unit_of(variable),
        "start": variable.start,
        "description": variable.description,
    }


def table(about: dict[str, Any]) -> str:
    """Lay out for a terminal what describe() gave."""
    yes_or_no = {True: "yes", False: "no"}
    head = [
        f"{about['model']}: {about['description'] or 'no description'}",
        f"FMI {about['fmi_version']}, made by {about['tool'] or 'an unnamed tool'}, for {', '.join(about['platforms'])}",
        f"steps of any size: {yes_or_no[bool(about['variable_step'])]}; "
        f"goes back to an earlier state: {yes_or_no[bool(about['saves_state'])]}",
        *(f"warning: {warning['what']}" for warning in about["warnings"]),
        "",
    ]
    rows = [_COLUMNS, *(tuple(_plain(row[column]) for column in _COLUMNS) for row in about["variables"])]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_COLUMNS))]
    body = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join([*head, *body])


def _plain(value: object) -> str:
    """Give a text of one short line without anything that would move a terminal's cursor."""
    text = "" if value is None else str(value)
    return "".join(character if character.isprintable() else " " for character in text)[:80]
