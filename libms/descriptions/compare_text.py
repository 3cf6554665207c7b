"""Two versions of a text, line by line."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from libms.descriptions.values import lines_of, showable

LARGEST_CHARACTERS: Final = 1_000_000
MOST_LINES: Final = 20_000
MOST_SHOWN: Final = 5_000
LONGEST_LINE: Final = 1_000

_COMMON_LINE: Final = 16
"""From this many places on, a line's places are kept as a number once made."""


class LineKind(StrEnum):
    """What became of a line."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of either version; numbers start at 1, and a version that lacks the line has None."""

    kind: LineKind
    old_number: int | None
    new_number: int | None
    text: str


@dataclass(frozen=True, slots=True)
class TextComparison:
    """The lines that differ with some of those around them; jumps in the numbers are lines left out as the same."""

    lines: tuple[Line, ...]
    added: int
    """How many lines, also of those not given."""
    removed: int
    truncated: bool
    """Whether there are more differences than are given."""
    problem: str | None = None
    """Why the lines were not compared, in words for people."""


def compare_text(old: str, new: str, *, context: int = 3) -> TextComparison:
    """Find the smallest set of lines to take away and to add, with `context` lines around each.

    Time is bounded by lines × lines / 64 for any content, which `difflib` is
    not: it needs minutes for a few thousand lines that are much alike.
    """
    if max(len(old), len(new)) > LARGEST_CHARACTERS:
        return _given_up(f"One version has more than {LARGEST_CHARACTERS:,} characters.")
    before, after = lines_of(old), lines_of(new)
    if max(len(before), len(after)) > MOST_LINES:
        return _given_up(f"One version has more than {MOST_LINES:,} lines.")
    steps = list(_steps(before, after))
    added = sum(kind is LineKind.ADDED for kind, _, _ in steps)
    removed = sum(kind is LineKind.REMOVED for kind, _, _ in steps)
    near = _near_changes([kind for kind, _, _ in steps], max(context, 0))
    lines = tuple(_line(steps[place], before, after) for place in near[:MOST_SHOWN])
    return TextComparison(lines, added, removed, truncated=len(near) > MOST_SHOWN)


_Step = tuple[LineKind, int, int]
"""A kind and how many lines of the old and the new version stand above."""


def _given_up(why: str) -> TextComparison:
    return TextComparison((), 0, 0, truncated=True, problem=f"{why} Download both to compare them.")


def _line(step: _Step, before: Sequence[str], after: Sequence[str]) -> Line:
    kind, old, new = step
    text = after[new] if kind is LineKind.ADDED else before[old]
    old_number = None if kind is LineKind.ADDED else old + 1
    new_number = None if kind is LineKind.REMOVED else new + 1
    return Line(kind, old_number, new_number, showable(text, LONGEST_LINE))


def _near_changes(kinds: Sequence[LineKind], context: int) -> list[int]:
    """Give the places of all changes and of what stands within `context` lines of one."""
    keep = bytearray(len(kinds))
    covered = 0
    for place, kind in enumerate(kinds):
        if kind is not LineKind.SAME:
            start, end = max(place - context, covered), min(place + context + 1, len(kinds))
            keep[start:end] = b"\x01" * (end - start)
            covered = end
    return [place for place, kept in enumerate(keep) if kept]


def _steps(before: Sequence[str], after: Sequence[str]) -> Iterator[_Step]:
    """Cut what is the same at head and tail, and align the rest."""
    shorter = min(len(before), len(after))
    head = 0
    while head < shorter and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < shorter - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    yield from ((LineKind.SAME, place, place) for place in range(head))
    middle = align(before[head : len(before) - tail], after[head : len(after) - tail])
    yield from ((kind, head + old, head + new) for kind, old, new in middle)
    first_old, first_new = len(before) - tail, len(after) - tail
    yield from ((LineKind.SAME, first_old + place, first_new + place) for place in range(tail))


def align(before: Sequence[str], after: Sequence[str]) -> list[_Step]:
    """Align two sequences along a longest common subsequence, removals before additions.

    Bit-parallel, after Hyyrö, "Bit-parallel LCS-length computation revisited"
    (2004): one long number per new line, whose zeros are where the common
    part grows. Only every nth number is kept and the others are made again on
    the way back, so memory stays at about 2·√lines numbers.
    """
    rows = _Rows(before, after)
    steps: list[_Step] = []
    old, new = len(before), len(after)
    while old and new:
        if rows.bit(new, old - 1):
            old -= 1
            steps.append((LineKind.REMOVED, old, new))
        elif new > 1 and not rows.bit(new - 1, old - 1):
            new -= 1
            steps.append((LineKind.ADDED, old, new))
        else:
            old, new = old - 1, new - 1
            steps.append((LineKind.SAME, old, new))
    steps += [(LineKind.ADDED, old, place) for place in range(new - 1, -1, -1)]
    steps += [(LineKind.REMOVED, place, new) for place in range(old - 1, -1, -1)]
    steps.reverse()
    return _removals_first(steps)


def _removals_first(steps: list[_Step]) -> list[_Step]:
    """Put removed lines before added ones where nothing stands between, as people are used to."""
    ordered: list[_Step] = []
    start = 0
    for end in range(len(steps) + 1):
        if end == len(steps) or steps[end][0] is LineKind.SAME:
            run = steps[start:end]
            ordered += [step for step in run if step[0] is LineKind.REMOVED]
            ordered += [step for step in run if step[0] is LineKind.ADDED]
            ordered += steps[end : end + 1]
            start = end + 1
    return ordered


class _Rows:
    """The numbers of the alignment, one per count of new lines."""

    def __init__(self, before: Sequence[str], after: Sequence[str]) -> None:
        self._after = after
        self._full = (1 << len(before)) - 1
        self._stride = max(math.isqrt(len(after)), 1)
        self._places: dict[str, list[int]] = {}
        self._masks: dict[str, int] = {}
        for place, line in enumerate(before):
            self._places.setdefault(line, []).append(place)
        self._kept = {0: self._full}
        self._block: dict[int, int] = {}
        row = self._full
        for number in range(1, len(after) + 1):
            row = self._next(row, number)
            if number % self._stride == 0:
                self._kept[number] = row

    def bit(self, number: int, place: int) -> int:
        """Give whether the common part does not grow with an old line, over the first `number` new lines."""
        row = self._block.get(number)
        if row is None:
            self._fill(number)
            row = self._block[number]
        return row >> place & 1

    def _fill(self, number: int) -> None:
        """Make the rows up to one again, from the last one kept; the row before it is needed too."""
        first = max(number - 1, 0) // self._stride * self._stride
        row = self._kept[first]
        self._block = {first: row}
        for following in range(first + 1, number + 1):
            row = self._next(row, following)
            self._block[following] = row

    def _next(self, row: int, number: int) -> int:
        matched = row & self._mask(self._after[number - 1])
        return (row + matched | row - matched) & self._full if matched else row

    def _mask(self, line: str) -> int:
        places = self._places.get(line, ())
        if len(places) < _COMMON_LINE:
            return sum(1 << place for place in places)
        if line not in self._masks:
            bits = bytearray(len(bin(self._full)) // 8 + 1)
            for place in places:
                bits[place >> 3] |= 1 << (place & 7)
            self._masks[line] = int.from_bytes(bits, "little")
        return self._masks[line]
