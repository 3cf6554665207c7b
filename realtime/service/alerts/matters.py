"""Matters: what alerts of one key of one instance add up to, and what people do about them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from realtime.outputs import Severity
from realtime.service.alerts.errors import AlertMissing, AlertRefused
from realtime.service.alerts.models import RANK, Matter, MatterState, Raised

LONGEST_TEXT: Final = 2000
LONGEST_KEY: Final = 200
LARGEST_DETAILS: Final = 16 * 1024
MOST_MATTERS: Final = 100_000
"""So many are kept for an owner; those that were resolved first go first, then the oldest."""
FIELDS: Final = ("id", *(name for name in Matter.__struct_fields__ if name != "id"))

Change = tuple[str, Matter]
"""What happened ('raised', 'again', 'worse', 'acknowledged', 'resolved') and what the matter is now."""


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which matters are asked for; '' is any."""

    state: str = ""
    """A state, or 'live': all that are not resolved."""
    severity: Severity = Severity.NOTE
    """This and above."""
    model: str = ""
    instance: str = ""
    offset: int = 0
    limit: int = 100


def raise_one(connection: sqlite3.Connection, one: Raised, *, silenced: bool) -> Change:
    """Add an alert to its matter, or begin one."""
    row = connection.execute(
        "SELECT * FROM matters WHERE model = ? AND instance = ? AND key = ? AND state != 'resolved'",
        (one.model, one.instance, one.key[:LONGEST_KEY]),
    ).fetchone()
    if row is None:
        return "raised", _begin(connection, one, silenced=silenced)
    matter = read(row)
    worse = RANK[one.severity] > RANK[matter.severity]
    matter.count += 1
    matter.last_s, matter.first_s = max(matter.last_s, one.time_s), min(matter.first_s, one.time_s)
    matter.text, matter.details = one.text[:LONGEST_TEXT], _details(one.details)
    matter.silenced = silenced
    if worse:
        matter.severity, matter.state = one.severity, MatterState.OPEN
    connection.execute(
        "UPDATE matters SET state = ?, severity = ?, text = ?, details = ?, first_s = ?, last_s = ?, count = ?, silenced = ? WHERE id = ?",
        (
            matter.state,
            matter.severity,
            matter.text,
            msgspec.json.encode(matter.details),
            matter.first_s,
            matter.last_s,
            matter.count,
            silenced,
            matter.id,
        ),
    )
    return ("worse" if worse else "again"), matter


def _begin(connection: sqlite3.Connection, one: Raised, *, silenced: bool) -> Matter:
    matter = Matter(
        id=0,
        model=one.model,
        instance=one.instance,
        key=one.key[:LONGEST_KEY],
        state=MatterState.OPEN,
        severity=one.severity,
        text=one.text[:LONGEST_TEXT],
        details=_details(one.details),
        first_s=one.time_s,
        last_s=one.time_s,
        count=1,
        rule=one.rule,
        silenced=silenced,
    )
    values = [getattr(matter, name) for name in FIELDS[1:]]
    values[FIELDS.index("details") - 1] = msgspec.json.encode(matter.details)
    names, marks = ", ".join(FIELDS[1:]), ", ".join("?" * len(values))
    cursor = connection.execute(f"INSERT INTO matters ({names}) VALUES ({marks})", values)  # noqa: S608 - our own names
    matter.id = cursor.lastrowid or 0
    return matter


def _details(content: bytes) -> Any:
    if len(content) > LARGEST_DETAILS:
        return {"left_out": f"{len(content)} bytes"}
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError):
        return {}


def read(row: sqlite3.Row) -> Matter:
    """Make a matter of its row."""
    values = dict(row)
    values["details"] = msgspec.json.decode(values["details"])
    return msgspec.convert(values, Matter, strict=False)


def find(connection: sqlite3.Connection, wanted: Filter) -> tuple[list[Matter], int]:
    """Give one page, the latest first, and how many there are."""
    where, values = ["1"], list[Any]()
    if wanted.state:
        where.append("state != 'resolved'" if wanted.state == "live" else "state = ?")
        values += [] if wanted.state == "live" else [wanted.state]
    for name in ("model", "instance"):
        if given := getattr(wanted, name):
            where.append(f"{name} = ?")
            values.append(given)
    allowed = [one.value for one in Severity if RANK[one] >= RANK[wanted.severity]]
    where.append(f"severity IN ({', '.join('?' * len(allowed))})")
    condition, values = " AND ".join(where), [*values, *allowed]
    total = connection.execute(f"SELECT count(*) FROM matters WHERE {condition}", values).fetchone()[0]  # noqa: S608 - our own names
    rows = connection.execute(
        f"SELECT * FROM matters WHERE {condition} ORDER BY last_s DESC, id DESC LIMIT ? OFFSET ?",  # noqa: S608 - our own names
        [*values, wanted.limit, wanted.offset],
    )
    return [read(row) for row in rows], total


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    """Count what is not resolved, by severity; and what nobody has acknowledged yet, as 'open'."""
    found = {one.value: 0 for one in Severity} | {"open": 0}
    rows = connection.execute(
        "SELECT severity, state, count(*) FROM matters WHERE state != 'resolved' GROUP BY severity, state"
    )
    for severity, state, count in rows:
        found[severity] += count
        found["open"] += count if state == MatterState.OPEN else 0
    return found


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What a person has decided about matters, or a rule whose condition has ended."""

    state: MatterState
    by: str
    note: str
    at_s: float


def decide(connection: sqlite3.Connection, ids: Sequence[int], decision: Decision) -> list[Change]:
    """Acknowledge or resolve matters; what is so already stays as it is. Raises AlertMissing and AlertRefused before any changes."""
    matters = [_existing(connection, one) for one in dict.fromkeys(ids)]
    for matter in matters:
        if matter.state is MatterState.RESOLVED and decision.state is MatterState.ACKNOWLEDGED:
            raise AlertRefused(
                f"Alert {matter.id} is resolved, so there is nothing to acknowledge.",
                "Leave it out, or look at the open ones.",
            )
    changed = list[Change]()
    for matter in matters:
        if matter.state is decision.state:
            continue
        matter.state, matter.by, matter.at_s = decision.state, decision.by, decision.at_s
        matter.note = decision.note[:LONGEST_TEXT] or matter.note
        connection.execute(
            "UPDATE matters SET state = ?, by = ?, at_s = ?, note = ? WHERE id = ?",
            (matter.state, matter.by, matter.at_s, matter.note, matter.id),
        )
        changed.append((decision.state.value, matter))
    return changed


def _existing(connection: sqlite3.Connection, number: int) -> Matter:
    row = connection.execute("SELECT * FROM matters WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise AlertMissing(f"There is no alert {number}.", "Take its number from the list of alerts.")
    return read(row)


def trim(connection: sqlite3.Connection, *, most: int = MOST_MATTERS) -> int:
    """Leave so many; give how many went."""
    too_many = connection.execute("SELECT count(*) FROM matters").fetchone()[0] - most
    if too_many <= 0:
        return 0
    connection.execute(
        "DELETE FROM matters WHERE id IN (SELECT id FROM matters ORDER BY state != 'resolved', last_s LIMIT ?)",
        (too_many,),
    )
    return int(too_many)
