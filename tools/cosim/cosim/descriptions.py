"""An FMU's modelDescription.xml, read safely and, where it is slightly invalid, leniently."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Final
from xml.parsers import expat

from fmpy.model_description import ValidationError, read_model_description

from cosim.errors import FmuRefused, Problem

LARGEST_BYTES: Final = 64 * 1024 * 1024
"""Read, it takes some twenty times as much memory."""


def read_description(path: Path, xml: bytes) -> tuple[Any, list[Problem]]:
    """Read a description; give FMPy's object and warnings about what the standard does not allow."""
    if len(xml) > LARGEST_BYTES:
        raise FmuRefused(
            f"The modelDescription.xml of {path} has more than {LARGEST_BYTES // 1024**2} MiB.", "Is it an FMU?"
        )
    _look_before_reading(path, xml)
    with tempfile.TemporaryDirectory(prefix="cosim-") as folder:
        file = Path(folder) / "modelDescription.xml"
        file.write_bytes(xml)
        try:
            return read_model_description(str(file)), []
        except ValidationError as error:
            return _leniently(path, file), [_warning(path, error)]
        except Exception as error:
            raise _refused(path, error) from error


def _leniently(path: Path, file: Path) -> Any:
    try:
        return read_model_description(str(file), validate=False)
    except Exception as error:
        # FMPy raises bare Exception, KeyError, ValueError and more on what it does not expect.
        raise _refused(path, error) from error


def _refused(path: Path, error: Exception) -> FmuRefused:
    return FmuRefused(f"The modelDescription.xml of {path} cannot be understood: {error}.", "Export the FMU again.")


def _warning(path: Path, error: ValidationError) -> Problem:
    problems = [str(problem) for problem in error.problems]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return Problem(
        f"{path.name}: its description is not as the standard has it: {problems[0]}{more}",
        f"It is read all the same; `fmpy validate {path.name}` tells everything.",
        "warning",
    )


def _look_before_reading(path: Path, xml: bytes) -> None:
    """Refuse documents with a document type, which bring entities along, and versions that are not FMI 2 or 3."""
    root: list[tuple[str, dict[str, str]]] = []

    def doctype(*_: object) -> None:
        raise FmuRefused(f"The modelDescription.xml of {path} declares a document type.", "Do not use this file.")

    def element(name: str, attributes: dict[str, str]) -> None:
        if not root:
            root.append((name, attributes))

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = element
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise FmuRefused(f"The modelDescription.xml of {path} is no XML: {error}.", "Export the FMU again.") from error
    name, attributes = root[0]
    version = attributes.get("fmiVersion", "")
    if name != "fmiModelDescription" or not version:
        raise FmuRefused(f"The modelDescription.xml of {path} does not describe an FMU.", "Export the FMU again.")
    if version != "2.0" and not version.startswith("3."):
        raise FmuRefused(f"{path} is made for FMI {version}.", "Export it as FMI 2.0 or 3.0.")
