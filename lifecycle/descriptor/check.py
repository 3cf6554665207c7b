"""Name everything that is wrong with a descriptor: the reader's own rules, and those of the published schema.

The reader says nearly everything, in words made for the case. The schema is
what other editors and programs judge by, so whatever it refuses beyond that is
an error here too: a text that passes is good for both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from lifecycle.descriptor.fields import below
from lifecycle.descriptor.problems import Level, Problem, shown
from lifecycle.descriptor.reading import read_text
from lifecycle.descriptor.schema import SCHEMA
from lifecycle.descriptor.yaml_marks import Mark, Node, nodes_on, plain_value

MOST_PROBLEMS: Final = 1000


def check(text: str) -> list[Problem]:
    """Give all problems in the order of the text."""
    reading = read_text(text)
    problems = [*reading.problems]
    root = reading.document.root
    if root is not None and not reading.document.problems:
        told = {problem.path for problem in reading.errors}
        on_the_way = {upper for path in told for upper in _upwards(path)}
        problems += [
            problem
            for problem in _schema_problems(root)
            if problem.path not in on_the_way and told.isdisjoint(_upwards(problem.path))
        ]
    return sorted(problems, key=lambda problem: (problem.line, problem.column))[:MOST_PROBLEMS]


def _upwards(path: str) -> Iterator[str]:
    """Give a path and all that lead to it: the reader may name a list where the schema names its entry."""
    yield path
    yield from (path[:end] for end, sign in enumerate(path) if sign in ".[")
    yield ""


def _schema_problems(root: Node) -> Iterator[Problem]:
    for error in islice(_validator().iter_errors(plain_value(root)), MOST_PROBLEMS):
        path = ""
        for step in error.absolute_path:
            path = below(path, step)
        mark = _place(root, error)
        yield Problem(mark.line, mark.column, path, f"'{path}' is {shown(error.instance)}.", _rule(error), Level.ERROR)


def _place(root: Node, error: ValidationError) -> Mark:
    *_, node = nodes_on(iter(error.absolute_path), root)
    return node.start


def _rule(error: ValidationError) -> str:
    """Say what the schema allows there."""
    allowed: Any = error.validator_value
    match error.validator:
        case "type":
            return f"It is of the kind {allowed if isinstance(allowed, str) else ' or '.join(allowed)}."
        case "enum":
            return f"It is one of {', '.join(map(str, allowed))}."
        case "minimum" | "exclusiveMinimum" | "maximum" | "minLength" | "maxLength" | "minItems" | "maxItems":
            return f"The schema's {error.validator} for it is {allowed}."
        case "pattern":
            return f"It is written like {allowed}."
        case _:
            return f"The schema's rule '{error.validator}' does not allow it."


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
