"""Read the audit logs of all parts as one."""

from __future__ import annotations

import gzip
import heapq
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from twinhub.audit import WRITERS
from twinhub.places import Places

MOST: Final = 100_000


@dataclass(frozen=True)
class Question:
    """Which deeds are wanted."""

    since: float = 0.0
    user: str = ""
    action: str = ""
    refused: bool = False
    library: bool = True
    """Whether the library's log of assets is read too."""

    def wants(self, row: dict[str, Any]) -> bool:
        """Tell whether a deed is one of them; a user also finds what was done to them."""
        return (
            row["time"] >= self.since
            and (not self.user or self.user in (row.get("user"), row.get("about")))
            and (not self.action or str(row.get("action", "")).startswith(self.action))
            and not (self.refused and row.get("ok", True))
        )


def read_deeds(places: Places, question: Question, last: int) -> list[dict[str, Any]]:
    """Give the latest deeds that are wanted, oldest first."""
    keep = max(0, min(last, MOST))
    found: list[tuple[float, int, dict[str, Any]]] = []
    for number, row in enumerate(_rows(places, question)):
        if question.wants(row):
            heapq.heappush(found, (row["time"], number, row))
            if len(found) > keep:
                heapq.heappop(found)
    return [row for _, _, row in sorted(found)]


def _rows(places: Places, question: Question) -> Iterator[dict[str, Any]]:
    for file in sorted((places.audit / "archive").glob("*.jsonl.gz")):
        if file.stat().st_mtime >= question.since:  # it was packed after its last line
            yield from _rows_of(file)
    for folder in WRITERS:
        for file in sorted((places.audit / folder).glob("*.jsonl*")):
            yield from _rows_of(file)
    if question.library:
        for file in sorted((places.library / "audit").glob("*.jsonl")):
            for row in _rows_of(file):
                yield {"part": "libms", "about": row.pop("path", ""), **row}


def _rows_of(file: Path) -> Iterator[dict[str, Any]]:
    """Give the lines of one file; what a full disk has torn is passed over."""
    with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as stream:
        for line in stream:
            try:
                row = json.loads(line)
                row["time"] = float(row["time"])
            except (ValueError, KeyError, TypeError, RecursionError):
                continue
            yield row
