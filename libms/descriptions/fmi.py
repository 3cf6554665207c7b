"""The elements of modelDescription.xml in its three versions, taken as they pass by."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

from libms.descriptions.fmi_values import Experiment, FmuVariable
from libms.descriptions.values import DescriptionUnreadable, one_line

MOST_VARIABLES: Final = 10_000
MOST_ELEMENTS: Final = 1_000_000
MOST_NAMES: Final = 5_000
DEEPEST: Final = 64

_VALUE_TYPES: Final = frozenset({"Real", "Integer", "Boolean", "String", "Enumeration"})
_KINDS: Final = ("CoSimulation", "ModelExchange", "ScheduledExecution")
_PARAMETERS: Final = frozenset({"parameter", "calculatedParameter", "structuralParameter"})
_CONTINUOUS_TYPES: Final = frozenset({"Real", "Float32", "Float64"})
_VERSIONS: Final = ("1.", "2.", "3.")


@dataclass(slots=True)
class _Draft:
    """A variable while its elements pass by."""

    attributes: dict[str, str]
    type: str | None = None
    value: dict[str, str] = field(default_factory=dict)
    starts: list[str] = field(default_factory=list)
    dimensions: list[tuple[str | None, str | None]] = field(default_factory=list)
    """Size or value reference."""
    aliases: list[dict[str, str]] = field(default_factory=list)


class ModelReader:
    """Receives a parser's events; keeps what is asked for, in bounded memory, and no tree."""

    def __init__(self) -> None:
        self.events = 0
        self.root: dict[str, str] = {}
        self.version = ""
        self.experiment = Experiment()
        self._path: list[str] = []
        self._names: set[str] = set()
        self._elements = 0
        self._kinds: set[str] = set()
        self._units: dict[str, str] = {}
        """The unit of each declared type that has one."""
        self._type_name: str | None = None
        self._draft: _Draft | None = None
        self._drafts: list[_Draft] = []
        self._count = 0

    # --- what the parser calls ----------------------------------------------------------

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take an element's beginning."""
        self.events += 1
        self._check(tag, attributes)
        depth = len(self._path)
        if depth == 0:
            self._start_model(tag, attributes)
        elif depth == 1:
            self._start_part(tag, attributes)
        elif self._path[1] == "TypeDefinitions":
            self._start_type(depth, tag, attributes)
        elif self._path[1] == "ModelVariables":
            self._start_variable(depth, tag, attributes)
        elif self._path[1] == "Implementation" and tag.startswith("CoSimulation_"):
            self._kinds.add("CoSimulation")
        self._path.append(tag)

    def end(self, tag: str) -> None:
        """Take an element's end."""
        self.events += 1
        self._path.pop()
        if len(self._path) == 2 and self._draft is not None:
            self._finish(self._draft)
            self._draft = None

    def data(self, _text: str) -> None:
        """Let text between elements pass: a description says everything in attributes."""
        self.events += 1

    def close(self) -> None:
        """Take the document's end."""
        if not self.version:
            raise DescriptionUnreadable("modelDescription.xml is empty.", "Export it again.")

    # --- what was read ------------------------------------------------------------------

    def kinds(self) -> tuple[str, ...]:
        """Name what the FMU can be used for.

        FMI 1.0 for Model Exchange has no element that says so: an FMU without
        `Implementation` is one (FMI 1.0 for Co-Simulation, fmiImplementation.xsd).
        """
        if self.version.startswith("1.") and not self._kinds:
            return ("ModelExchange",)
        return tuple(kind for kind in _KINDS if kind in self._kinds)

    def variables(self) -> tuple[tuple[FmuVariable, ...], int]:
        """Give the variables that are kept, and how many there are."""
        by_reference = {draft.attributes.get("valueReference"): draft.attributes.get("name") for draft in self._drafts}
        found: list[FmuVariable] = []
        for draft in self._drafts:
            variable = self._variable(draft, draft.attributes, by_reference)
            found.append(variable)
            for alias in draft.aliases:
                words = {"name": alias.get("name", ""), "description": alias.get("description", "")}
                found.append(self._variable(draft, draft.attributes | words, by_reference))
        return tuple(found[:MOST_VARIABLES]), self._count

    # --- inside -------------------------------------------------------------------------

    def _check(self, tag: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        self._names.add(tag)
        self._names.update(attributes)
        if self._elements > MOST_ELEMENTS or len(self._names) > MOST_NAMES:
            raise DescriptionUnreadable("modelDescription.xml has too many elements.", "Describe fewer variables.")
        if len(self._path) >= DEEPEST:
            raise DescriptionUnreadable(
                f"modelDescription.xml is nested deeper than {DEEPEST} levels.", "Export it again."
            )

    def _start_model(self, tag: str, attributes: dict[str, str]) -> None:
        version = one_line(attributes.get("fmiVersion", ""), 20)
        if tag != "fmiModelDescription" or not version.startswith(_VERSIONS):
            raise DescriptionUnreadable(
                f"modelDescription.xml starts with '{one_line(tag, 60)}' of FMI version '{version}'.",
                "FMI 1.0, 2.0 and 3.0 can be read.",
            )
        self.root = attributes
        self.version = version

    def _start_part(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in _KINDS:
            self._kinds.add(tag)
        elif tag == "DefaultExperiment":
            self.experiment = Experiment(
                _number(attributes.get("startTime")),
                _number(attributes.get("stopTime")),
                _number(attributes.get("tolerance")),
                _number(attributes.get("stepSize")),
            )

    def _start_type(self, depth: int, tag: str, attributes: dict[str, str]) -> None:
        """Note a declared type's unit: on the element itself in FMI 3, one level below in FMI 1 and 2."""
        if depth == 2:
            self._type_name = attributes.get("name")
        if depth <= 3 and self._type_name and "unit" in attributes and not tag.endswith("Item"):
            self._units[self._type_name] = attributes["unit"]

    def _start_variable(self, depth: int, tag: str, attributes: dict[str, str]) -> None:
        if depth == 2 and "name" in attributes:
            self._draft = _Draft(attributes)
            if tag != "ScalarVariable":  # FMI 3: the element is the type
                self._draft.type, self._draft.value = tag, attributes
        elif depth == 3 and self._draft is not None:
            self._add_detail(self._draft, tag, attributes)

    def _add_detail(self, draft: _Draft, tag: str, attributes: dict[str, str]) -> None:
        if draft.type is None:
            if tag in _VALUE_TYPES:
                draft.type, draft.value = tag, attributes
        elif tag == "Start" and len(draft.starts) < 100:
            draft.starts.append(one_line(attributes.get("value", ""), 200))
        elif tag == "Dimension" and len(draft.dimensions) < 16:
            draft.dimensions.append((attributes.get("start"), attributes.get("valueReference")))
        elif tag == "Alias":
            self._count += 1
            if len(draft.aliases) + len(self._drafts) < MOST_VARIABLES:
                draft.aliases.append(attributes)

    def _finish(self, draft: _Draft) -> None:
        self._count += 1
        if len(self._drafts) < MOST_VARIABLES:
            self._drafts.append(draft)

    def _variable(self, draft: _Draft, attributes: dict[str, str], names: dict[str | None, str | None]) -> FmuVariable:
        type_name = draft.type or ""
        causality, variability = _defaults(self.version, type_name, attributes)
        unit = draft.value.get("unit") or self._units.get(draft.value.get("declaredType", ""), "")
        start = ", ".join(draft.starts) if draft.starts else draft.value.get("start")
        sizes = (size or names.get(reference) or f"#{reference}" for size, reference in draft.dimensions)
        return FmuVariable(
            name=one_line(attributes.get("name", ""), 500),
            causality=causality,
            variability=variability,
            type=one_line(type_name, 40),
            unit=one_line(unit, 60) or None,
            start=None if start is None else one_line(start, 200),
            description=one_line(attributes.get("description", ""), 500) or None,
            value_reference=_reference(attributes.get("valueReference", "")),
            dimensions=tuple(one_line(size, 100) for size in sizes),
        )


def _defaults(version: str, type_name: str, attributes: dict[str, str]) -> tuple[str, str]:
    """Give causality and variability, with what each version of FMI takes when they are missing.

    FMI 1.0, fmiScalarVariable.xsd: internal and continuous. FMI 2.0, clause
    2.2.7: local and continuous, which only Real can be, hence discrete for the
    others. FMI 3.0, clause 2.4.7.4: local; fixed for parameters, else continuous
    for Float32 and Float64, else discrete.
    """
    causality = attributes.get("causality") or ("internal" if version.startswith("1.") else "local")
    variability = attributes.get("variability")
    if not variability:
        if version.startswith("3.") and causality in _PARAMETERS:
            variability = "fixed"
        elif type_name in _CONTINUOUS_TYPES or version.startswith("1."):
            variability = "continuous"
        else:
            variability = "discrete"
    return one_line(causality, 40), one_line(variability, 40)


def _number(text: str | None) -> float | None:
    """Read a number that can stand in an answer: infinity and NaN cannot."""
    if text is None or len(text) > 100:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _reference(text: str) -> int | None:
    """Read an unsigned 32-bit number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else None
