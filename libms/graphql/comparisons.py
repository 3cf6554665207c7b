"""What differs between two assets, as GraphQL types: one shape for tables, documents and folders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import strawberry

from libms.descriptions.compare import Comparison as FileComparison
from libms.descriptions.compare import ComparisonKind, ManifestComparison
from libms.descriptions.compare_tables import TableComparison

KINDS: Final = {
    ComparisonKind.SAME: "same",
    ComparisonKind.TEXT: "text",
    ComparisonKind.TABLE: "csv",
    ComparisonKind.VALUES: "json",
    ComparisonKind.BINARY: "binary",
}


@strawberry.type(description="A line of a comparison of texts.")
class ComparedLine:
    kind: str = strawberry.field(description="same, added or removed.")
    old_number: int | None
    new_number: int | None
    text: str


@strawberry.type(description="A difference between two tables, JSON documents or folders.")
class Change:
    kind: str = strawberry.field(description="added, removed, changed or renamed.")
    place: str = strawberry.field(description="Row and column, a path such as $.a[3].b, or a file.")
    old: str | None = None
    new: str | None = None
    difference: float | None = strawberry.field(
        default=None, description="How far apart the two are, where both are numbers."
    )


@strawberry.type(description="What differs between two assets.")
class Comparison:
    kind: str = strawberry.field(description="same, text, csv, json, folder or binary.")
    equal: bool
    summary: str
    truncated: bool
    lines: list[ComparedLine]
    changes: list[Change]


def make_file_comparison(found: FileComparison) -> Comparison:
    """Give a comparison of two files as GraphQL has it."""
    lines: list[ComparedLine] = []
    changes: list[Change] = []
    truncated = False
    if found.text is not None:
        truncated = found.text.truncated
        lines = [
            ComparedLine(kind=str(one.kind), old_number=one.old_number, new_number=one.new_number, text=one.text)
            for one in found.text.lines
        ]
    if found.table is not None:
        changes = list(_table_changes(found.table))
        truncated = found.table.cell_count > len(found.table.cells)
    if found.values is not None:
        truncated = found.values.truncated
        changes = [Change(kind=str(one.kind), place=one.path, old=one.old, new=one.new) for one in found.values.changes]
    return Comparison(
        kind=KINDS[found.kind],
        equal=found.kind is ComparisonKind.SAME,
        summary=found.words,
        truncated=truncated,
        lines=lines,
        changes=changes,
    )


def _table_changes(table: TableComparison) -> Iterator[Change]:
    yield from (Change(kind="added", place=f"column {name}") for name in table.columns_added)
    yield from (Change(kind="removed", place=f"column {name}") for name in table.columns_removed)
    yield from (Change(kind="added", place=f"row {name}") for name in table.rows_added)
    yield from (Change(kind="removed", place=f"row {name}") for name in table.rows_removed)
    for cell in table.cells:
        yield Change(
            kind="changed",
            place=f"row {cell.row}, {cell.column}",
            old=cell.old,
            new=cell.new,
            difference=cell.difference,
        )


def make_folder_comparison(found: ManifestComparison) -> Comparison:
    """Give a comparison of two folders as GraphQL has it."""
    changes = [
        *(Change(kind="added", place=path) for path in found.added),
        *(Change(kind="removed", place=path) for path in found.removed),
        *(Change(kind="changed", place=path) for path in found.changed),
        *(Change(kind="renamed", place=new, old=old, new=new) for old, new in found.renamed),
    ]
    counts = f"{len(found.added)} added, {len(found.removed)} removed, {len(found.changed)} changed"
    return Comparison(
        kind="folder",
        equal=not changes,
        summary=f"{counts}, {len(found.renamed)} renamed." if changes else "Both hold the same files.",
        truncated=found.truncated,
        lines=[],
        changes=changes,
    )
