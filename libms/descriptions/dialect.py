"""How a table is written: its delimiter, its heading, and what kind of values a column holds."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final, Literal

from libms.descriptions.values import DescriptionUnreadable

DELIMITERS: Final = (";", "\t", "|", ",")
LONGEST_LINE: Final = 100_000
"""Characters; below the limit that the csv module has for one field."""

_SAMPLE_ROWS: Final = 100
_INTEGER: Final = re.compile(r"[+-]?\d{1,100}")
_NUMBER: Final = re.compile(
    r"[+-]?(?:\d{1,100}\.?\d{0,100}|\.\d{1,100})(?:[eEdD][+-]?\d{1,5})?|[+-]?(?:nan|inf|infinity)", re.I
)
_TIME: Final = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})"
    r"(?:[T ,]\s?\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?\s?(?:Z|[AaPp][Mm]|[+-]\d{2}:?\d{2})?)?"
    r"|\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?"
)


def parse_rows(text: str, delimiter: str, most: int) -> list[list[str]]:
    """Split a text into rows of fields, without empty lines.

    A quote that is opened and never closed would swallow the rest of the
    table: quotes are then read as ordinary characters.
    """
    try:
        return _rows(text, delimiter, most, quotes=True)
    except csv.Error:
        pass
    try:
        return _rows(text, delimiter, most, quotes=False)
    except csv.Error as error:
        raise DescriptionUnreadable("The table cannot be split into fields.", "Check it in an editor.") from error


def _rows(text: str, delimiter: str, most: int, *, quotes: bool) -> list[list[str]]:
    lines = (line[:LONGEST_LINE] for line in io.StringIO(text, newline=""))
    found: list[list[str]] = []
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    for row in csv.reader(lines, delimiter=delimiter, quoting=quoting, skipinitialspace=True):
        if row:
            found.append(row)
        if len(found) >= most:
            break
    return found


def find_delimiter(sample: str) -> str:
    """Decide for the delimiter that splits a table's beginning most evenly into the purest values; ',' when none does."""
    best, best_score = ",", 0.0
    for delimiter in DELIMITERS:
        if delimiter not in sample:
            continue
        rows = parse_rows(sample, delimiter, _SAMPLE_ROWS)
        score = _evenness(rows) * (1 + _purity(rows, delimiter))
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _evenness(rows: Sequence[Sequence[str]]) -> float:
    """Give the share of rows that have the usual number of fields; 0 when that is one."""
    if not rows:
        return 0.0
    width, count = Counter(map(len, rows)).most_common(1)[0]
    return count / len(rows) if width > 1 else 0.0


def _purity(rows: Sequence[Sequence[str]], delimiter: str) -> float:
    """Give the share of fields that are values, or words without another delimiter in them."""
    fields = [field for row in rows for field in row[:100]]
    others = [other for other in DELIMITERS if other != delimiter]
    points = 0.0
    for field in fields:
        if kind_of(field, delimiter) != "text":
            points += 1
        elif not any(other in field for other in others):
            points += 0.5
    return points / len(fields) if fields else 0.0


def kind_of(field: str, delimiter: str) -> str:
    """Say whether a field is empty, integer, number, time or text; decimal commas count where commas do not delimit."""
    field = field.strip()
    if not field:
        return "empty"
    if len(field) > 210:
        return "text"
    if _INTEGER.fullmatch(field):
        return "integer"
    if _NUMBER.fullmatch(_point(field, delimiter)):
        return "number"
    return "time" if _TIME.fullmatch(field) else "text"


def number_of(field: str, delimiter: str) -> float | None:
    """Give a field's number; None for all else."""
    if kind_of(field, delimiter) not in ("integer", "number"):
        return None
    return float(_point(field.strip(), delimiter).lower().replace("d", "e"))


def _point(field: str, delimiter: str) -> str:
    return field if delimiter == "," else field.replace(",", ".", 1)


def kind_of_column(fields: Sequence[str], delimiter: str) -> str:
    """Say what all fields of a column are that are not empty."""
    kinds = {kind_of(field, delimiter) for field in fields} - {"empty"}
    if not kinds:
        return "empty"
    if kinds == {"integer", "number"}:
        return "number"
    return kinds.pop() if len(kinds) == 1 else "text"


def has_heading(rows: Sequence[Sequence[str]], delimiter: str) -> bool:
    """Say whether the first row names the columns: words throughout, only the first of which may be missing."""
    if not rows:
        return False
    kinds = [kind_of(field, delimiter) for field in rows[0]]
    return (
        all(kind == "text" or (kind == "empty" and place == 0) for place, kind in enumerate(kinds)) and "text" in kinds
    )
