"""A twin's parameters: what each may be, and the value that a run gets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from lifecycle.descriptor.numerals import as_integer, as_real, read_number
from lifecycle.descriptor.problems import ParameterRefused, did_you_mean, shown
from lifecycle.models import Value

LONGEST_TEXT: Final = 10_000

_TRUTH: Final = {
    "true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False,
}  # fmt: skip


class ParameterType(StrEnum):
    """What kind of value a parameter has."""

    REAL = "real"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    STRING = "string"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value that a run may be given."""

    name: str
    type: ParameterType
    unit: str = ""
    """As written; it is shown, and never converted."""
    default: Value | None = None
    """None where every run has to give a value."""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    description: str = ""

    def read(self, given: object) -> Value:
        """Read a value, or the text in which somebody wrote it (its own unit may follow); raises ParameterRefused."""
        value = self._converted(given)
        outside = (
            (self.minimum is not None and value < self.minimum) or (self.maximum is not None and value > self.maximum)
            if isinstance(value, int | float)
            else False
        )
        if outside or (self.choices and value not in self.choices):
            raise self._refusal(given)
        return value

    @property
    def allowed(self) -> str:
        """Say what may be given, such as 'a real number in m from 0 to 5'."""
        if self.choices:
            return "one of " + ", ".join(shown(choice) for choice in self.choices)
        kind = {"real": "a real number", "integer": "an integer", "boolean": "true or false", "string": "a text"}
        words = kind[self.type] + (f" in {self.unit}" if self.unit else "")
        low, high = self.minimum, self.maximum
        if low is not None and high is not None:
            return f"{words} from {low:g} to {high:g}"
        return words + (f" from {low:g} on" if low is not None else f" up to {high:g}" if high is not None else "")

    def as_json(self) -> dict[str, Any]:
        """Give what pages and programs see."""
        limits = None if self.minimum is None and self.maximum is None else [self.minimum, self.maximum]
        return {
            "name": self.name, "type": self.type.value, "unit": self.unit, "default": self.default,
            "range": limits, "choices": [*self.choices], "description": self.description,
        }  # fmt: skip

    def _converted(self, given: object) -> Value:
        match self.type:
            case ParameterType.STRING:
                if isinstance(given, str) and len(given) <= LONGEST_TEXT and _can_be_handed_over(given):
                    return given
            case ParameterType.BOOLEAN:
                truth = _TRUTH.get(given.strip().lower()) if isinstance(given, str) else given
                if isinstance(truth, bool):
                    return truth
            case ParameterType.REAL | ParameterType.INTEGER:
                number = self._number(given)
                if number is not None:
                    return number
        raise self._refusal(given)

    def _number(self, given: object) -> int | float | None:
        if isinstance(given, str):
            written = given.strip()
            number = read_number(written)
            given = read_number(written.removesuffix(self.unit).rstrip()) if number is None else number
        if isinstance(given, bool) or not isinstance(given, int | float):
            return None
        return as_integer(given) if self.type is ParameterType.INTEGER else as_real(given)

    def _refusal(self, given: object) -> ParameterRefused:
        default = "" if self.default is None else f"; without it, it is {shown(self.default)}"
        return ParameterRefused(
            f"{shown(given)} is not allowed for the parameter '{self.name}': it is {self.allowed}.",
            f"Give one of those{default}.",
        )


def _can_be_handed_over(text: str) -> bool:
    """Tell whether a text fits into an environment variable: neither NUL nor half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)


def variable_of(name: str) -> str:
    """Name the environment variable that hands a parameter to a program."""
    return "TWIN_PARAMETER_" + re.sub(r"[^A-Z0-9]", "_", name.upper())


def read_values(parameters: Mapping[str, Parameter], given: Mapping[str, Any]) -> dict[str, Value]:
    """Give every parameter's value, defaults filled in; raises ParameterRefused."""
    for name in given:
        if name not in parameters:
            raise ParameterRefused(f"This twin has no parameter {shown(name)}.", did_you_mean(str(name), [*parameters]))
    values: dict[str, Value] = {}
    for name, parameter in parameters.items():
        if name in given:
            values[name] = parameter.read(given[name])
        elif parameter.default is None:
            raise ParameterRefused(
                f"The parameter '{name}' has no default and was not given; it is {parameter.allowed}.",
                f"Give it: --set {name}=VALUE, or write a default into twin.yaml.",
            )
        else:
            values[name] = parameter.default
    return values
