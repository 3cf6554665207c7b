"""Two versions of an asset, compared in the way that says most about them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from libms.descriptions.compare_tables import TableComparison, compare_csv
from libms.descriptions.compare_text import TextComparison, compare_text
from libms.descriptions.compare_values import ValueComparison, compare_json, compare_yaml
from libms.descriptions.media import is_text, media_type
from libms.descriptions.values import DescriptionUnreadable

LARGEST_BYTES: Final = 4 * 1024 * 1024
"""Larger files are compared by size and digest only."""
MOST_PATHS: Final = 1_000

_TABLES: Final = {"text/csv", "text/tab-separated-values"}
_JSON: Final = {"application/json", "application/geo+json", "application/ld+json", "application/x-ipynb+json"}
_YAML: Final = {"application/yaml"}


class ComparisonKind(StrEnum):
    """How two versions were compared."""

    SAME = "same"
    TEXT = "text"
    TABLE = "table"
    VALUES = "values"
    BINARY = "binary"


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two versions differ; of `text`, `table` and `values`, the one that `kind` names is there."""

    kind: ComparisonKind
    old_size: int
    new_size: int
    old_sha256: str
    new_sha256: str
    words: str
    """The outcome in a sentence for people."""
    text: TextComparison | None = None
    table: TableComparison | None = None
    values: ValueComparison | None = None


@dataclass(frozen=True, slots=True)
class ManifestComparison:
    """How two versions of a folder differ; every path is in one list at most, in the order of its bytes."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    """Old and new path of files whose content stayed."""
    truncated: bool
    """Whether a list ends after its first thousand paths."""


def compare(name: str, old: bytes, new: bytes, *, tolerance: float = 0.0) -> Comparison:
    """Compare two versions of a file by what it is: table, JSON, YAML, text or bytes.

    What cannot be read as its name says is compared as text, and what is no
    text by size and digest. Raises BadRequest for a tolerance below 0.
    """
    digests = hashlib.sha256(old).hexdigest(), hashlib.sha256(new).hexdigest()
    kind, words = ComparisonKind.SAME, "Both versions are the same, byte for byte."
    text, table, values = None, None, None
    if digests[0] != digests[1]:
        table, values, text = _by_content(name, old, new, tolerance)
        if table is not None:
            kind, words = ComparisonKind.TABLE, _table_words(table)
        elif values is not None:
            kind, words = ComparisonKind.VALUES, _values_words(values)
        elif text is not None:
            kind, words = ComparisonKind.TEXT, _text_words(text)
        else:
            kind, words = ComparisonKind.BINARY, f"Sizes are {len(old):,} and {len(new):,} bytes, and digests differ."
    return Comparison(kind, len(old), len(new), *digests, words, text, table, values)


def compare_manifests(old: Mapping[str, str], new: Mapping[str, str]) -> ManifestComparison:
    """Compare two folders by the sha256 of each file, which tells a file that was moved from one that was made."""
    removed = [path for path in old if path not in new]
    added = [path for path in new if path not in old]
    moved_from: dict[str, list[str]] = {}
    for path in sorted(removed, key=_bytes, reverse=True):
        moved_from.setdefault(old[path], []).append(path)
    renamed = [(moved_from[new[path]].pop(), path) for path in sorted(added, key=_bytes) if moved_from.get(new[path])]
    gone, came = {before for before, _ in renamed}, {after for _, after in renamed}
    added = sorted((path for path in added if path not in came), key=_bytes)
    removed = sorted((path for path in removed if path not in gone), key=_bytes)
    changed = sorted((path for path, digest in new.items() if old.get(path, digest) != digest), key=_bytes)
    return ManifestComparison(
        added=tuple(added[:MOST_PATHS]),
        removed=tuple(removed[:MOST_PATHS]),
        changed=tuple(changed[:MOST_PATHS]),
        renamed=tuple(renamed[:MOST_PATHS]),
        truncated=max(len(added), len(removed), len(changed), len(renamed)) > MOST_PATHS,
    )


def _bytes(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def _by_content(
    name: str, old: bytes, new: bytes, tolerance: float
) -> tuple[TableComparison | None, ValueComparison | None, TextComparison | None]:
    if max(len(old), len(new)) > LARGEST_BYTES or not (is_text(old) and is_text(new)):
        return None, None, None
    media = media_type(name, new)
    try:
        if media in _TABLES:
            return compare_csv(old, new, tolerance=tolerance), None, None
        if media in _JSON:
            return None, compare_json(_decoded(old), _decoded(new)), None
        if media in _YAML:
            return None, compare_yaml(_decoded(old), _decoded(new)), None
    except DescriptionUnreadable:
        pass  # a table that is none is still text
    return None, None, compare_text(_decoded(old), _decoded(new))


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _table_words(table: TableComparison) -> str:
    parts = [
        _count(table.cell_count, "value differs", "values differ"),
        _count(table.added_count, "row added", "rows added"),
        _count(table.removed_count, "row removed", "rows removed"),
        _count(len(table.columns_added), "column added", "columns added"),
        _count(len(table.columns_removed), "column removed", "columns removed"),
    ]
    said = ", ".join(part for part in parts if part)
    return f"{said}." if said else "The tables hold the same values and are only written differently."


def _values_words(values: ValueComparison) -> str:
    if not values.changes:
        return "Both hold the same values and are only written differently."
    more = "More than " if values.truncated else ""
    return f"{more}{_count(len(values.changes), 'value differs', 'values differ')}."


def _text_words(text: TextComparison) -> str:
    if text.problem:
        return text.problem
    said = ", ".join(
        filter(
            None,
            [_count(text.added, "line added", "lines added"), _count(text.removed, "line removed", "lines removed")],
        )
    )
    return f"{said}." if said else "The lines are the same; line ends or the encoding differ."


def _count(number: int, one: str, many: str) -> str:
    return "" if number == 0 else f"{number:,} {one if number == 1 else many}"
