"""What was found when a twin was explored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Found(StrEnum):
    """How one thing stands."""

    OK = "ok"
    WARNING = "warning"
    """It may work, and somebody should look."""
    MISSING = "missing"
    """The twin cannot work as it is described."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    level: Found
    what: str
    fix: str = ""

    def __post_init__(self) -> None:
        """Take away what a terminal would obey: names of other people's files stand in these words."""
        for name in ("subject", "what", "fix"):
            text = str(getattr(self, name))
            if not text.isprintable():
                object.__setattr__(self, name, "".join(sign if sign.isprintable() else "?" for sign in text))

    def as_json(self) -> dict[str, Any]:
        """Give what pages and programs see."""
        return {"subject": self.subject, "level": self.level.value, "what": self.what, "fix": self.fix}


@dataclass(frozen=True, slots=True)
class Report:
    """All findings about one twin."""

    twin: str
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is missing."""
        return all(finding.level is not Found.MISSING for finding in self.findings)

    def count(self, level: Found) -> int:
        """Count the findings of a level."""
        return sum(finding.level is level for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Give what pages and programs see."""
        return {"ok": self.ok, "findings": [finding.as_json() for finding in self.findings]}


def ok(subject: str, what: str) -> Finding:
    """Say that something is as it should be."""
    return Finding(subject, Found.OK, what)


def warning(subject: str, what: str, fix: str) -> Finding:
    """Say that somebody should look at something."""
    return Finding(subject, Found.WARNING, what, fix)


def missing(subject: str, what: str, fix: str) -> Finding:
    """Say that something is not there, or not of use."""
    return Finding(subject, Found.MISSING, what, fix)


def in_words(names: Iterable[str], most: int = 8) -> str:
    """List names, a few of them when there are many."""
    listed = sorted(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more
