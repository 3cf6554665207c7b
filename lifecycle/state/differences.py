"""Differences between two configurations, file by file."""

from __future__ import annotations

import difflib
from dataclasses import asdict, dataclass
from typing import Any, Final

from lifecycle.places import Places
from lifecycle.state.manifests import Entry
from lifecycle.state.trees import Kind
from lifecycle.state.versions import configuration
from lifecycle.state.words import shown

MOST_LINES: Final = 4000
"""Beyond that, finding the shortest description of a difference takes minutes."""


@dataclass(frozen=True)
class FileChange:
    """How one file differs."""

    path: str
    change: str
    """added, removed or changed."""
    diff: str
    """Unified, for text; else one line that says what differs."""

    def as_json(self) -> dict[str, Any]:
        """Give what pages and programs see."""
        return asdict(self)


def compare_versions(places: Places, twin: str, one: int | None, other: int | None) -> list[FileChange]:
    """Give what changed from one version to another; None is the present. Raises VersionNotFound, ContentMissing."""
    before, after = configuration(places, twin, one), configuration(places, twin, other)
    names = (_name(one), _name(other))
    found = [_compare(path, before.get(path), after.get(path), names) for path in sorted({*before, *after})]
    return [change for change in found if change is not None]


def _name(number: int | None) -> str:
    return "present" if number is None else f"version {number}"


def _compare(
    path: str, one: tuple[Entry, bytes] | None, other: tuple[Entry, bytes] | None, names: tuple[str, str]
) -> FileChange | None:
    if one is None or other is None:
        change = "added" if one is None else "removed"
    elif one[1] == other[1] and (one[0].mode, one[0].kind) == (other[0].mode, other[0].kind):
        return None
    else:
        change = "changed"
    lines = _mode_lines(one, other) + _content_lines(path, _content(one), _content(other), names)
    return FileChange(path, change, "".join(lines))


def _content(side: tuple[Entry, bytes] | None) -> bytes:
    if side is None:
        return b""
    return b"link to " + side[1] + b"\n" if side[0].kind is Kind.LINK else side[1]


def _mode_lines(one: tuple[Entry, bytes] | None, other: tuple[Entry, bytes] | None) -> list[str]:
    if one is None or other is None or one[0].mode == other[0].mode:
        return []
    return [f"permissions {one[0].mode:o} become {other[0].mode:o}\n"]


def _content_lines(path: str, one: bytes, other: bytes, names: tuple[str, str]) -> list[str]:
    if one == other:
        return []
    try:
        before, after = one.decode().splitlines(keepends=True), other.decode().splitlines(keepends=True)
    except UnicodeDecodeError:
        return [f"{len(one)} bytes become {len(other)} others\n"]
    if len(before) + len(after) > MOST_LINES:
        return [f"{len(before)} lines become {len(after)} others; too many to show\n"]
    lines = difflib.unified_diff(before, after, f"{names[0]}/{shown(path)}", f"{names[1]}/{shown(path)}")
    return [line if line.endswith("\n") else f"{line}\n\\ no newline at the end\n" for line in lines]
