"""What a scale test measures."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

STEPS: Final = ("sign_in", "page", "workspace", "kernel", "answer")
WORDS: Final = {
    "sign_in": "sign in",
    "page": "first page",
    "workspace": "workspace ready",
    "kernel": "kernel answers",
    "answer": "later answers",
}


@dataclass
class Figures:
    """Times of each step, and what went wrong, in words."""

    people: int
    times_s: dict[str, list[float]] = field(default_factory=lambda: {step: [] for step in STEPS})
    failures: Counter[str] = field(default_factory=Counter)
    throttled: int = 0
    """How often the gateway asked to wait."""
    open_sockets: int = 0
    lost_sockets: int = 0
    memory_bytes: dict[str, dict[str, int]] = field(default_factory=dict)
    """When → part → bytes."""

    def note(self, step: str, took_s: float) -> None:
        """Take down one time."""
        self.times_s[step].append(took_s)

    def as_json(self) -> dict[str, Any]:
        """Give it for programs."""
        steps = {step: summary(times) for step, times in self.times_s.items() if times}
        return {
            "people": self.people,
            "steps": steps,
            "failures": dict(self.failures),
            "throttled": self.throttled,
            "sockets": {"open": self.open_sockets, "lost": self.lost_sockets},
            "memory_bytes": self.memory_bytes,
        }

    def as_text(self) -> str:
        """Give it for people."""
        lines = [f"  {'step':<16} {'done':>5} {'median':>8} {'p95':>8} {'p99':>8} {'worst':>8}"]
        for step, times in self.times_s.items():
            if times:
                row = summary(times)
                figures = "".join(f" {row[name]:>6.2f} s" for name in ("median_s", "p95_s", "p99_s", "worst_s"))
                lines.append(f"  {WORDS[step]:<16} {row['count']:>5}{figures}")
        lines.append(f"  WebSockets left open: {self.open_sockets}, lost: {self.lost_sockets}")
        lines += [f"  {when}: {_sizes(parts)}" for when, parts in self.memory_bytes.items()]
        if self.throttled:
            lines.append(f"  The gateway's limit of requests made people wait {self.throttled} times.")
        lines += [f"  ✗  {count} × {what}" for what, count in self.failures.most_common()]
        return "\n".join(lines)


def _sizes(parts: dict[str, int]) -> str:
    return ", ".join(f"{part} {size / 1e6:.0f} MB" for part, size in sorted(parts.items()))


def summary(times: list[float]) -> dict[str, float]:
    """Give count, median and the slow end of some times."""
    ordered = sorted(times)
    named = {"median_s": 0.5, "p95_s": 0.95, "p99_s": 0.99, "worst_s": 1.0}
    return {"count": len(ordered), **{name: round(_at(ordered, share), 3) for name, share in named.items()}}


def _at(ordered: list[float], share: float) -> float:
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
