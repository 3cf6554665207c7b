"""Read the parameters of a descriptor."""

from __future__ import annotations

import re
from typing import Final

from lifecycle.descriptor.fields import Fields, below
from lifecycle.descriptor.numerals import as_integer, as_real
from lifecycle.descriptor.parameters import LONGEST_TEXT, Parameter, ParameterType, variable_of
from lifecycle.descriptor.problems import Level, ParameterRefused, did_you_mean, shown
from lifecycle.descriptor.yaml_marks import Items, Node, Pairs, Scalar
from lifecycle.models import Value

KEYS: Final = ("type", "unit", "default", "range", "choices", "description")
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.\[\]-]{0,99}")
EXAMPLE: Final = "parameters: {level: {type: real, unit: m, default: 1.0, range: [0, 5]}}"
MOST_PARAMETERS: Final = 1000
MOST_CHOICES: Final = 1000
LONGEST_UNIT: Final = 60
LONGEST_DESCRIPTION: Final = 10_000

_NUMBERS: Final = (ParameterType.REAL, ParameterType.INTEGER)
_TYPES: Final = tuple(kind.value for kind in ParameterType)


def read_parameters(fields: Fields, node: Node | None) -> dict[str, Parameter]:
    """Take all parameters that can be read."""
    pairs = fields.pairs(node, "parameters", EXAMPLE)
    if pairs is None:
        return {}
    if len(pairs.nodes) > MOST_PARAMETERS:
        fields.error(pairs, "parameters", f"More than {MOST_PARAMETERS} parameters.", "Keep them in a data file.")
        return {}
    found: dict[str, Parameter] = {}
    for name, inner, path in fields.named(pairs, "parameters", EXAMPLE):
        if _named_well(fields, pairs.keys[name], path):
            parameter = _parameter(fields, name, inner, path)
            if parameter is not None:
                found[name] = parameter
    _warn_of_same_variables(fields, pairs, found)
    return found


def _warn_of_same_variables(fields: Fields, pairs: Pairs, found: dict[str, Parameter]) -> None:
    seen: dict[str, str] = {}
    for name in found:
        first = seen.setdefault(variable_of(name), name)
        if first != name:
            what = f"'{first}' and '{name}' are both handed over as {variable_of(name)}."
            fix = "Rename one, or let the program read the JSON file that TWIN_PARAMETERS names."
            fields.warn(pairs.keys[name], below("parameters", name), what, fix)


def _named_well(fields: Fields, key: Scalar, path: str) -> bool:
    if not NAME.fullmatch(key.text):
        what = f"{shown(key.text)} is no name for a parameter."
        fields.error(key, path, what, "Begin with a letter; then letters, digits and _ . - [ ] may follow.")
        return False
    if key.uncertain:
        what = f"YAML takes the name '{key.text}' for something else than a word."
        fields.error(key, path, what, f'Put it into quotes: "{key.text}".')
        return False
    return True


def _parameter(fields: Fields, name: str, pairs: Pairs, path: str) -> Parameter | None:
    fields.known(pairs, KEYS, path, level=Level.ERROR)
    unit = fields.words(pairs.nodes.get("unit"), below(path, "unit"), LONGEST_UNIT) or ""
    about = fields.words(pairs.nodes.get("description"), below(path, "description"), LONGEST_DESCRIPTION) or ""
    kind = _type(fields, pairs, path)
    if kind is None:
        return None
    minimum, maximum = _range(fields, pairs.nodes.get("range"), below(path, "range"), kind)
    choices = _choices(fields, pairs.nodes.get("choices"), below(path, "choices"), kind)
    parameter = Parameter(name, kind, unit, None, minimum, maximum, choices, about)
    default = _default(fields, pairs.nodes.get("default"), below(path, "default"), parameter)
    return Parameter(name, kind, unit, default, minimum, maximum, choices, about)


def _type(fields: Fields, pairs: Pairs, path: str) -> ParameterType | None:
    node = pairs.nodes.get("type")
    written = node.text if isinstance(node, Scalar) and not node.missing else None
    if written in _TYPES:
        return ParameterType(written)
    where = below(path, "type")
    if written is None:
        fields.error(node or pairs, where, f"'{path}' has no type.", f"Types are {', '.join(_TYPES)}.")
    else:
        fields.error(node or pairs, where, f"{shown(written)} is no type.", did_you_mean(written, _TYPES))
    return None


def _default(fields: Fields, node: Node | None, path: str, parameter: Parameter) -> Value | None:
    if node is None or (isinstance(node, Scalar) and node.missing):
        return None
    if not isinstance(node, Scalar):
        fields.error(node, path, "A default is one value.", f"It is {parameter.allowed}.")
        return None
    if parameter.type is ParameterType.STRING:
        return _text_default(fields, node, path, parameter)
    value = node.value
    if isinstance(value, str):
        hint = " Take the quotes away." if not node.plain else f" {_spelling(parameter)}"
        fields.error(node, path, f"The default {shown(value)} is not {parameter.allowed}.", hint.strip())
        return None
    if parameter.type in _NUMBERS and node.uncertain and "." not in node.text and "e" in node.text.lower():
        fix = f"Write {value!r}." if "e" not in repr(value) else "Write it with a point and a sign, such as 1.0e-9."
        fields.warn(node, path, f"Some programs that read YAML take {node.text} for a text.", fix)
    try:
        return parameter.read(value)
    except ParameterRefused:
        fields.error(node, path, f"The default {shown(node.text)} is not {parameter.allowed}.", "Change one of them.")
        return None


def _text_default(fields: Fields, node: Scalar, path: str, parameter: Parameter) -> str | None:
    if node.uncertain:
        what = f"YAML takes {node.text} for a number, a date or a truth value, and a text is wanted."
        fields.error(node, path, what, f'Put it into quotes: "{node.text}".')
        return None
    try:
        return str(parameter.read(node.text))
    except ParameterRefused:
        fields.error(node, path, f"The default {shown(node.text)} is not {parameter.allowed}.", "Change one of them.")
        return None


def _spelling(parameter: Parameter) -> str:
    if parameter.type is ParameterType.BOOLEAN:
        return "Write true or false."
    return "Write it in decimal digits, without a unit, such as 10, 0.5 or 1.0e-3."


def _range(fields: Fields, node: Node | None, path: str, kind: ParameterType) -> tuple[float | None, float | None]:
    if node is None or (isinstance(node, Scalar) and node.missing):
        return None, None
    if kind not in _NUMBERS:
        fields.error(node, path, f"A range does not go with the type {kind}.", "Only real and integer have one.")
        return None, None
    if not isinstance(node, Items) or len(node.nodes) != 2:
        fields.error(node, path, "A range is two numbers.", "Write it like range: [0, 5]; null for an open end.")
        return None, None
    low, high = (_limit(fields, end, below(path, number), kind) for number, end in enumerate(node.nodes))
    if low is not None and high is not None and low > high:
        fields.error(node, path, f"The range begins at {low:g}, above its end {high:g}.", "Write the smaller first.")
        return None, None
    return low, high


def _limit(fields: Fields, node: Node, path: str, kind: ParameterType) -> float | None:
    if isinstance(node, Scalar) and node.missing:
        return None
    given = node.value if isinstance(node, Scalar) else None
    number = None
    if isinstance(given, int | float) and not isinstance(given, bool):
        number = as_integer(given) if kind is ParameterType.INTEGER else as_real(given)
    if number is None:
        words = shown(node.text) if isinstance(node, Scalar) else "A list"
        noun = "whole number" if kind is ParameterType.INTEGER else "number"
        fields.error(
            node, path, f"{words} is no {noun} for an end of a range.", "Write a number, or null for an open end."
        )
    return number


def _choices(fields: Fields, node: Node | None, path: str, kind: ParameterType) -> tuple[str, ...]:
    if node is None or (isinstance(node, Scalar) and node.missing):
        return ()
    if kind is not ParameterType.STRING:
        fields.error(
            node, path, f"Choices do not go with the type {kind}.", "Only string has them; use range for numbers."
        )
        return ()
    entries = fields.items(node, path, "choices: [slow, fast]")
    if isinstance(node, Items) and not 0 < len(entries) <= MOST_CHOICES:
        fields.error(node, path, f"There are no choices, or more than {MOST_CHOICES}.", "Write them like [slow, fast].")
        return ()
    found: list[str] = []
    for number, entry in enumerate(entries):
        choice = _choice(fields, entry, below(path, number))
        if choice in found:
            fields.error(entry, below(path, number), f"The choice {shown(choice)} stands twice.", "Keep one of them.")
        elif choice is not None:
            found.append(choice)
    return tuple(found)


def _choice(fields: Fields, node: Node, path: str) -> str | None:
    if not isinstance(node, Scalar) or node.missing:
        fields.error(node, path, "A choice is one text.", "Write them like [slow, fast].")
        return None
    if node.uncertain:
        fields.error(node, path, f"YAML takes {node.text} for something else than a text.", f'Write "{node.text}".')
        return None
    return fields.words(node, path, LONGEST_TEXT)
