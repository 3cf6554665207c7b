"""Two versions of JSON or YAML, value by value."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any, Final

from libms.descriptions.safe_yaml import plain_value, read_yaml
from libms.descriptions.values import DescriptionUnreadable, one_line

LARGEST_CHARACTERS: Final = 2_000_000
LARGEST_YAML_CHARACTERS: Final = 512 * 1024
DEEPEST: Final = 100
MOST_SHOWN: Final = 1_000
LONGEST_VALUE: Final = 200
LONGEST_PATH: Final = 500

_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}")


class ChangeKind(StrEnum):
    """What became of a value."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class ValueChange:
    """One value that differs; values are given as JSON, shortened."""

    kind: ChangeKind
    path: str
    """Such as $.masses[3].stiffness."""
    old: str | None
    new: str | None
    type_changed: bool
    """Whether a number became text, a list a group, and the like."""


@dataclass(frozen=True, slots=True)
class ValueComparison:
    """All values that differ, in the order of the old version."""

    changes: tuple[ValueChange, ...]
    truncated: bool
    """Whether there are more than are given."""


def compare_json(old: str, new: str) -> ValueComparison:
    """Compare two JSON texts; raises DescriptionUnreadable for one that is none, too large or too deep.

    1 and 1.0 are the same, and so is NaN, which JSON forbids and Python writes.
    The order of names in a group means nothing; that of a list does.
    """
    return _compare(_parse_json(old), _parse_json(new))


def compare_yaml(old: str, new: str) -> ValueComparison:
    """Compare two YAML texts like `compare_json`; aliases and tags are refused."""
    return _compare(_parse_yaml(old), _parse_yaml(new))


def _compare(old: Any, new: Any) -> ValueComparison:
    found = tuple(islice(_changes(old, new), MOST_SHOWN + 1))
    return ValueComparison(found[:MOST_SHOWN], truncated=len(found) > MOST_SHOWN)


def _parse_json(text: str) -> Any:
    if len(text) > LARGEST_CHARACTERS:
        raise DescriptionUnreadable("One version is too large to compare by value.", "Download both to compare them.")
    try:
        value = json.loads(text.removeprefix("\ufeff"), parse_int=_integer)
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise DescriptionUnreadable(f"One version is not valid JSON{where}.", "Compare them as text.") from error
    _check_depth(value)
    return value


def _parse_yaml(text: str) -> Any:
    document = read_yaml(text, largest=LARGEST_YAML_CHARACTERS, most_nodes=100_000)
    if not document.whole:
        problem = document.problems[-1]
        raise DescriptionUnreadable(
            f"One version cannot be read as YAML: line {problem.line}: {problem.words}.", "Compare them as text."
        )
    return plain_value(document.root)


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= 300 else digits


def _too_deep() -> DescriptionUnreadable:
    return DescriptionUnreadable(f"One version is nested deeper than {DEEPEST} levels.", "Compare them as text.")


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _inner(outer)]
        if not level:
            return
    raise _too_deep()


def _inner(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


_ABSENT: Final = object()


def _changes(old: Any, new: Any, path: str = "$") -> Iterator[ValueChange]:
    """Walk both side by side; `_check_depth` has bounded how deep."""
    if old is _ABSENT:
        yield ValueChange(ChangeKind.ADDED, path, None, _shown(new), False)
    elif new is _ABSENT:
        yield ValueChange(ChangeKind.REMOVED, path, _shown(old), None, False)
    elif isinstance(old, dict) and isinstance(new, dict):
        for name in [*old, *(name for name in new if name not in old)]:
            yield from _changes(old.get(name, _ABSENT), new.get(name, _ABSENT), _step(path, name))
    elif isinstance(old, list) and isinstance(new, list):
        for place in range(max(len(old), len(new))):
            yield from _changes(_at(old, place), _at(new, place), f"{path}[{place}]"[:LONGEST_PATH])
    elif not _same(old, new):
        yield ValueChange(ChangeKind.CHANGED, path, _shown(old), _shown(new), _type(old) != _type(new))


def _at(values: list[Any], place: int) -> Any:
    return values[place] if place < len(values) else _ABSENT


def _step(path: str, name: str) -> str:
    step = f".{name}" if _WORD.fullmatch(name) else f"[{json.dumps(one_line(name, 100), ensure_ascii=False)}]"
    return (path + step)[:LONGEST_PATH]


def _type(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    return "number" if isinstance(value, int | float) else type(value).__name__


def _same(old: Any, new: Any) -> bool:
    if _type(old) != _type(new):
        return False
    both_nan = isinstance(old, float) and isinstance(new, float) and math.isnan(old) and math.isnan(new)
    return both_nan or bool(old == new)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        value = value[: LONGEST_VALUE + 1]
    return one_line(json.dumps(value, ensure_ascii=False), LONGEST_VALUE)
