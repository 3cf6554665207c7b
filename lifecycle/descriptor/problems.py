"""What is wrong with a descriptor or a value, where it stands, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from lifecycle.errors import TwinError

LONGEST_SHOWN: Final = 60


class Level(StrEnum):
    """How much a problem matters."""

    ERROR = "error"
    """The descriptor is not used before it is mended."""
    WARNING = "warning"
    """It works, and probably not as meant."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a text; lines and columns count from 1, in characters."""

    line: int
    column: int
    path: str
    """Where it stands in the descriptor's values, such as parameters.level.range[1]; empty for the whole."""
    what: str
    fix: str
    level: Level = Level.ERROR

    def as_json(self) -> dict[str, Any]:
        """Give what pages and programs see."""
        return asdict(self)

    def in_file(self, file: str) -> str:
        """Give the line that terminals and editors understand: FILE:LINE:COLUMN: level: words."""
        return f"{file}:{self.line}:{self.column}: {self.level}: {self.what} {self.fix}".rstrip()


class DescriptorInvalid(TwinError):
    """The twin's descriptor holds a mistake; its line and column are named."""

    code = "descriptor_invalid"
    status = 422

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        errors = [problem for problem in problems if problem.level is Level.ERROR]
        first, more = errors[0], len(errors) - 1
        others = f" ({more} more; 'twin check' names all)" if more else ""
        super().__init__(f"{file}, line {first.line}, column {first.column}: {first.what}{others}", first.fix)
        self.problems = tuple(problems)


class ParameterRefused(TwinError):
    """A value for a parameter is not one that the twin's descriptor allows."""

    code = "parameter_refused"
    status = 422


def shown(value: object) -> str:
    """Give a value that somebody sent, in one short line between quotes."""
    words = " ".join(str(value).split())
    printable = "".join(sign if sign.isprintable() else "?" for sign in words[: LONGEST_SHOWN + 1])
    return f"'{printable[:LONGEST_SHOWN]}…'" if len(printable) > LONGEST_SHOWN else f"'{printable}'"


def nearest(given: str, known: Iterable[str]) -> str | None:
    """Give the known word that was probably meant."""
    from difflib import get_close_matches  # noqa: PLC0415 - only those who mistyped pay for it

    names = {name.lower(): name for name in known}
    found = get_close_matches(given.lower()[:200], names, n=1)
    return names[found[0]] if found else None


def did_you_mean(given: str, known: Sequence[str]) -> str:
    """Give the sentence that helps after an unknown word."""
    close = nearest(given, known)
    listed = ", ".join(known) if known else "none"
    return f"Did you mean '{close}'? Known: {listed}." if close else f"Known: {listed}."
