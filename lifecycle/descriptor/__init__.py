"""The descriptor, twin.yaml: what a twin is made of, its parameters and limits.

`read_descriptor` is for whoever runs twins and imports little; `check_text`
is for whoever edits them, names every problem and imports jsonschema.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lifecycle.descriptor.models import (
    Cosimulation,
    Descriptor,
    PhaseSettings,
    Port,
    Service,
    values_of,
)
from lifecycle.descriptor.parameters import Parameter, ParameterType
from lifecycle.descriptor.problems import DescriptorInvalid, Level, ParameterRefused, Problem
from lifecycle.descriptor.schema import SCHEMA
from lifecycle.descriptor.uses import Use
from lifecycle.models import Value

if TYPE_CHECKING:
    from lifecycle.descriptor.reading import Reading

DESCRIPTOR: Final = "twin.yaml"
LARGEST_DESCRIPTOR_BYTES: Final = 256 * 1024

__all__ = [
    "DESCRIPTOR",
    "LARGEST_DESCRIPTOR_BYTES",
    "SCHEMA",
    "Cosimulation",
    "Descriptor",
    "DescriptorInvalid",
    "Level",
    "Parameter",
    "ParameterRefused",
    "ParameterType",
    "PhaseSettings",
    "Port",
    "Problem",
    "Service",
    "Use",
    "Value",
    "check_text",
    "load_text",
    "read_descriptor",
    "read_reading",
    "values_of",
]


def read_descriptor(twin_folder: Path) -> Descriptor:
    """Read a twin's descriptor; an empty one where there is no file. Raises DescriptorInvalid."""
    reading = read_reading(twin_folder)
    if reading is None:
        return Descriptor()
    if reading.errors:
        raise DescriptorInvalid(DESCRIPTOR, reading.problems)
    return reading.descriptor


def read_reading(twin_folder: Path) -> Reading | None:
    """Read what can be read, with its problems; None without a file. Raises DescriptorInvalid for what is no text."""
    file = twin_folder / DESCRIPTOR
    if not os.path.lexists(file):
        return None
    text = load_text(file)
    from lifecycle.descriptor.reading import read_text  # noqa: PLC0415 - a twin without a descriptor needs no YAML

    return read_text(text)


def load_text(file: Path) -> str:
    """Load a descriptor's text; raises DescriptorInvalid where it cannot be one."""
    if not file.is_file():  # a pipe would never end
        raise DescriptorInvalid(file.name, [Problem(1, 1, "", "It is no file.", "Delete it, or put a file there.")])
    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST_DESCRIPTOR_BYTES + 1)
    except OSError as error:
        words = f"It cannot be read: {error.strerror or error}."
        raise DescriptorInvalid(file.name, [Problem(1, 1, "", words, "Correct it in a terminal.")]) from error
    if len(data) > LARGEST_DESCRIPTOR_BYTES:
        words = f"It is larger than {LARGEST_DESCRIPTOR_BYTES // 1024} KiB."
        raise DescriptorInvalid(file.name, [Problem(1, 1, "", words, "Keep data in files of its own.")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        words = f"The byte 0x{data[error.start]:02X} is no UTF-8."
        raise DescriptorInvalid(file.name, [Problem(line, column, "", words, "Save the file as UTF-8.")]) from error


def check_text(text: str) -> list[Problem]:
    """Name everything that is wrong with a descriptor's text, warnings included; never raises."""
    from lifecycle.descriptor.check import check  # noqa: PLC0415 - jsonschema costs more than a run may

    return check(text)
