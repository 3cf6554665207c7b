"""Lines of all our processes' logs, whatever wrote them, in one shape; and as people read them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from twinhub.errors import PublicError
from twinhub.logging import LEVELS

WEIGHT: Final = {"trace": 0, "fatal": 4, "panic": 4, "warn": 2, "err": 3, "info": 1} | {
    name: weight for weight, name in enumerate(LEVELS)
}
SUPERVISORD: Final = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),(\d{3}) (\w+) (.*)", re.DOTALL)
ENGINE: Final = re.compile(r'time="([^"]+)" level=(\w+) msg="((?:[^"\\]|\\.)*)"(.*)', re.DOTALL)
AGO: Final = re.compile(r"(\d+)\s*(s|m|min|h|d)")
UNITS_S: Final = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}
OWN_KEYS: Final = frozenset({"time", "level", "part", "message", "msg", "traceback"})
ACCESS: Final = ("RequestMethod", "RequestPath", "DownstreamStatus")


class BadMoment(PublicError):
    """A moment is written in a way that is not understood."""

    code = "bad_moment"


@dataclass(frozen=True)
class Line:
    """One line of a log."""

    raw: str
    time: datetime | None = None
    level: str = ""
    message: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    traceback: str = ""

    @property
    def weight(self) -> int | None:
        """Where its level stands; None for a line that has none."""
        return WEIGHT.get(self.level.lower())

    def as_text(self) -> str:
        """Give it for people: local time, level, words, fields. Nothing in it can move the cursor."""
        if self.time is None:
            return safe(self.raw)
        when = self.time.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        about = "".join(f" {name}={value}" for name, value in self.fields.items() if value not in ("", None))
        text = safe(f"{when} {self.level.upper():<7} {self.message}{about}")
        return "\n".join([text, *(f"    {safe(line)}" for line in self.traceback.splitlines())])


def safe(text: str) -> str:
    """Escape what a terminal would obey."""
    return "".join(char if char.isprintable() or char == "\t" else ascii(char)[1:-1] for char in text)


def parse_line(raw: str) -> Line:
    """Read a line of ours, Traefik's, supervisord's or the engine's; others stay as they are."""
    raw = raw.rstrip("\n")
    if raw.startswith("{"):
        return _json_line(raw)
    found = SUPERVISORD.fullmatch(raw)
    if found:
        return Line(raw, _moment(found[1]), _level(found[3]), found[4])
    found = ENGINE.fullmatch(raw)
    if found:
        return Line(raw, _moment(found[1]), _level(found[2]), found[3] + found[4])
    return Line(raw)


def _level(word: str) -> str:
    plain = {"warn": "warning", "crit": "critical"}.get(word.lower(), word.lower())
    return plain[:10]


def _json_line(raw: str) -> Line:
    try:
        row = json.loads(raw)
    except (ValueError, RecursionError):
        return Line(raw)
    if not isinstance(row, dict):
        return Line(raw)
    if all(key in row for key in ACCESS):
        return _access_line(raw, row)
    about = {key: value for key, value in row.items() if key not in OWN_KEYS}
    message = str(row.get("message", row.get("msg", "")))
    return Line(
        raw, _moment(row.get("time")), _level(str(row.get("level", ""))), message, about, str(row.get("traceback", ""))
    )


def _access_line(raw: str, row: dict[str, Any]) -> Line:
    status = int(row["DownstreamStatus"]) if str(row["DownstreamStatus"]).isdigit() else 0
    level = "error" if status >= 500 else "warning" if status >= 400 else "info"
    about = {
        "user": row.get("ClientUsername"),
        "from": row.get("ClientHost"),
        "took_ms": _milliseconds(row.get("Duration")),
    }
    named = [value for key, value in row.items() if key.lower().endswith("_x-request-id")]
    about["request"] = named[-1] if named else None
    return Line(
        raw, _moment(row.get("time") or row.get("StartUTC")), level, " ".join(str(row[key]) for key in ACCESS), about
    )


def _milliseconds(nanoseconds: Any) -> float | None:
    return round(nanoseconds / 1e6, 1) if isinstance(nanoseconds, int | float) else None


def _moment(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text).replace(" ", "T", 1))
    except ValueError:
        return None
    return found if found.tzinfo else found.astimezone()


def parse_since(text: str, now: datetime | None = None) -> datetime:
    """Read '10m', '2h', '3d' or a moment such as '2026-11-21 14:00'; raises BadMoment."""
    now = now or datetime.now(UTC)
    found = AGO.fullmatch(text.strip())
    if found:
        return now - timedelta(seconds=int(found[1]) * UNITS_S[found[2]])
    moment = _moment(text.strip())
    if moment is None:
        raise BadMoment(f"'{text[:40]}' is no moment.", "Write 30s, 10m, 2h, 3d, or 2026-11-21 14:00.")
    return moment
