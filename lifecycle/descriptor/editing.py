"""Change defaults in a descriptor's text and nothing else: comments, order and spelling stay."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from lifecycle.descriptor.models import Descriptor
from lifecycle.descriptor.parameters import Parameter
from lifecycle.descriptor.problems import DescriptorInvalid, ParameterRefused, did_you_mean, shown
from lifecycle.descriptor.reading import Reading, read_text
from lifecycle.descriptor.yaml_marks import Pairs, Scalar, is_uncertain
from lifecycle.errors import TwinError
from lifecycle.models import Value

_SIMPLE_TEXT: Final = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*", re.ASCII)
_UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufff0-\uffff]")


class DescriptorNotChanged(TwinError):
    """The descriptor is written in a way that cannot be changed safely; nothing was changed."""

    code = "descriptor_not_changed"
    status = 409


def set_defaults(text: str, values: Mapping[str, Any]) -> str:
    """Give the text with other defaults, read again to prove that it says so and nothing else.

    Line ends stay as they are, so write the result without translating them.
    Raises DescriptorInvalid for a text with errors, ParameterRefused for a name
    or a value that it does not allow, DescriptorNotChanged.
    """
    reading = read_text(text)
    if reading.errors:
        raise DescriptorInvalid("twin.yaml", reading.problems)
    wanted = {name: _parameter(reading.descriptor, name).read(value) for name, value in values.items()}
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    body = text.removeprefix(mark)
    edits = sorted((_edit(reading, body, name, value) for name, value in wanted.items()), reverse=True)
    for start, end, written in edits:
        body = body[:start] + written + body[end:]
    _prove(reading.descriptor, body, wanted)
    return mark + body


def set_title(text: str, title: str) -> str:
    """Give the text with another title; raises DescriptorInvalid, DescriptorNotChanged."""
    reading = read_text(text)
    if reading.errors:
        raise DescriptorInvalid("twin.yaml", reading.problems)
    root, written = reading.document.root, spell(title)
    if isinstance(root, Pairs) and isinstance(old := root.nodes.get("title"), Scalar):
        start, end = old.start.index, old.end.index
        changed = text[:start] + written + text[end - len(text[start:end]) + len(text[start:end].rstrip()) :]
    else:
        changed = f"title: {written}\n{text}"
    after = read_text(changed)
    if after.errors or replace(after.descriptor, warnings=()) != replace(reading.descriptor, title=title, warnings=()):
        raise DescriptorNotChanged(
            "The title cannot be changed safely as twin.yaml is written.", "Write it in an editor."
        )
    return changed


def _parameter(descriptor: Descriptor, name: str) -> Parameter:
    if name not in descriptor.parameters:
        fix = did_you_mean(name, [*descriptor.parameters])
        raise ParameterRefused(f"This twin has no parameter {shown(name)}.", fix)
    return descriptor.parameters[name]


def _edit(reading: Reading, text: str, name: str, value: Value) -> tuple[int, int, str]:
    """Plan one replacement: from, to, what."""
    pairs = _pairs_of(reading, name)
    old = pairs.nodes.get("default")
    written = spell(value)
    if not isinstance(old, Scalar):
        return _insertion(pairs, text, written)
    start, end = old.start.index, old.end.index
    there = text[start:end]
    if not there:  # `default:` with nothing behind it
        return start, end, f" {written}"
    return start, end, written + there[len(there.rstrip()) :]


def _pairs_of(reading: Reading, name: str) -> Pairs:
    root = reading.document.root
    parameters = root.nodes["parameters"] if isinstance(root, Pairs) else None
    pairs = parameters.nodes[name] if isinstance(parameters, Pairs) else None
    if not isinstance(pairs, Pairs):  # the reader has read it, so this is our own mistake
        raise TypeError(name)
    return pairs


def _insertion(pairs: Pairs, text: str, written: str) -> tuple[int, int, str]:
    """Plan a `default` behind the unit or the type."""
    unit = pairs.nodes.get("unit")
    key = "unit" if isinstance(unit, Scalar) and unit.start.line == unit.end.line and not unit.missing else "type"
    end = pairs.nodes[key].end.index
    if pairs.flow:
        return end, end, f", default: {written}"
    place = text.find("\n", end)
    place = len(text) if place < 0 else place
    newline = "\n"
    if text[:place].endswith("\r"):
        place, newline = place - 1, "\r\n"
    indent = " " * (pairs.keys[key].start.column - 1)
    return place, place, f"{newline}{indent}default: {written}"


def spell(value: Value) -> str:
    """Write a value so that every YAML reader takes it for what it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        digits = repr(value)
        return digits if "." in digits or "e" not in digits else digits.replace("e", ".0e")
    if _SIMPLE_TEXT.fullmatch(value) and not is_uncertain(value):
        return value
    return _UNPRINTABLE.sub(lambda sign: f"\\u{ord(sign[0]):04x}", json.dumps(value, ensure_ascii=False))


def _prove(before: Descriptor, text: str, wanted: Mapping[str, Value]) -> None:
    parameters = {
        name: replace(parameter, default=wanted.get(name, parameter.default))
        for name, parameter in before.parameters.items()
    }
    after = read_text(text)
    same = replace(after.descriptor, warnings=()) == replace(before, parameters=parameters, warnings=())
    if after.errors or not same or not _same_kinds(after.descriptor, parameters):
        raise DescriptorNotChanged(
            f"The defaults of {', '.join(wanted)} cannot be changed safely as twin.yaml is written.",
            "Write them in an editor, as in {type: real, default: 1.0}.",
        )


def _same_kinds(after: Descriptor, parameters: Mapping[str, Parameter]) -> bool:
    """Tell 1 from True: they are equal for Python."""
    return all(type(after.parameters[name].default) is type(one.default) for name, one in parameters.items())
