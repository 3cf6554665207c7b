"""One owner's alerts: each method is one transaction, which is on disk when the method ends. Methods wait for the disk: call them in threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from realtime.outputs import Alert, Event
from realtime.service.alerts import matters, outbox, things
from realtime.service.alerts.database import Database
from realtime.service.alerts.matters import Change, Decision, Filter
from realtime.service.alerts.models import Delivery, Matter, MatterState, Raised, Rule, Silence
from realtime.wire import APART, LONGEST_INSTANCE, Out

EVENTS_KEPT: Final = 200
"""Of one instance."""
MOST_EVENTS: Final = 200_000
"""Of all instances of an owner."""
MOST_BYTES: Final = 512 * 1024 * 1024
"""Of an owner's book: where it is larger, a tenth of the events goes, the oldest."""
LONGEST_EVENT: Final = 2000
LONGEST_NAME: Final = 200
LATEST_S: Final = 253_402_300_800.0
"""The year 10000."""
LARGEST_DETAILS: Final = 4096
ALL_PARTS: Final = 2**31
NOTHING: Final = (-1, ALL_PARTS)


class Book:
    """Matters, events, rules, silences and deliveries of one owner."""

    def __init__(self, owner: str, file: Path, *, now: Callable[[], float] = time.time) -> None:
        self.owner = owner
        self.database = Database(file)
        self._ensure_parts()
        self._now = now

    # --- what comes from models -------------------------------------------------------------

    def take(self, model: str, outs: Sequence[Out], sequence: int = 0) -> list[Change]:
        """Keep alerts and events of what has not been taken before, and how far that is; give what changed."""
        with self.database.transaction() as connection:
            known = connection.execute("SELECT partition, position, part FROM places WHERE model = ?", (model,))
            places = {partition: (position, part) for partition, position, part in known.fetchall()}
            alerts, events = list[Raised](), list[Event]()
            for out in outs:
                # What one frame brought about in one partition comes in order, and frames do.
                place = (out.position, out.part)
                if out.part == APART or place <= places.get(out.partition, NOTHING):
                    continue
                places[out.partition] = place
                alerts += [_raised(one) for one in out.outputs if isinstance(one, Alert) and _is_named(one)]
                events += [one for one in out.outputs if isinstance(one, Event) and _is_named(one)]
            if alerts or events:
                connection.executemany(
                    "INSERT INTO places (model, partition, position, part) VALUES (?, ?, ?, ?) "
                    "ON CONFLICT DO UPDATE SET position = excluded.position, part = excluded.part",
                    [(model, partition, *place) for partition, place in places.items()],
                )
            if sequence:
                connection.execute(
                    "INSERT INTO progress VALUES ('OUT', ?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)",
                    (sequence,),
                )
            if events:
                self._keep_events(connection, events)
                self._trim_events(connection)
            return self._raise(connection, alerts)

    def _ensure_parts(self) -> None:
        """Add the column to a file that was made without it; what such a one has taken, it has taken whole."""
        with self.database.transaction() as connection:
            columns = [row["name"] for row in connection.execute("PRAGMA table_info(places)")]
            if "part" not in columns:
                connection.execute(f"ALTER TABLE places ADD COLUMN part INTEGER NOT NULL DEFAULT {ALL_PARTS}")

    def raise_all(self, alerts: Sequence[Raised]) -> list[Change]:
        """Add alerts of rules to their matters."""
        with self.database.transaction() as connection:
            return self._raise(connection, alerts)

    def last_position(self) -> int:
        """Tell up to which message of OUT everything is on disk; 0 before the first."""
        with self.database.reading() as connection:
            row = connection.execute("SELECT value FROM progress WHERE name = 'OUT'").fetchone()
            return int(row[0]) if row else 0

    def _raise(self, connection: Any, alerts: Sequence[Raised]) -> list[Change]:
        if not alerts:
            return []
        now_s = self._now()
        silences = [one for one in things.every(connection, Silence) if one.until_s > now_s]
        changes = [
            matters.raise_one(connection, one, silenced=things.is_silenced(silences, one, now_s)) for one in alerts
        ]
        outbox.enqueue(connection, changes, things.every(connection, Delivery), now_s)
        return list({matter.id: (what, matter) for what, matter in changes}.values())

    @staticmethod
    def _keep_events(connection: Any, events: list[Event]) -> None:
        connection.executemany(
            "INSERT INTO events (model, instance, time_s, text, details) VALUES (?, ?, ?, ?, ?)",
            [
                (
                    one.model[:LONGEST_NAME],
                    one.instance[:LONGEST_NAME],
                    _time(one.time_s),
                    one.text[:LONGEST_EVENT],
                    bytes(one.details)[: LARGEST_DETAILS + 1],
                )
                for one in events
            ],
        )
        connection.executemany(
            "DELETE FROM events WHERE model = ?1 AND instance = ?2 AND id <= "
            "(SELECT id FROM events WHERE model = ?1 AND instance = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3)",
            [(model, instance, EVENTS_KEPT) for model, instance in {(one.model, one.instance) for one in events}],
        )

    @staticmethod
    def _trim_events(connection: Any) -> None:
        """Let the oldest events go where there are too many, or they take too much."""
        span = connection.execute("SELECT (SELECT max(id) FROM events) - (SELECT min(id) FROM events) + 1").fetchone()[
            0
        ]
        count = 0
        # Numbers are not without gaps, and to count the rows takes a while.
        if span is not None and span > MOST_EVENTS:
            count = connection.execute("SELECT count(*) FROM events").fetchone()[0]
        pages, free, page_bytes = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        going = max(count - MOST_EVENTS, 0)
        if (pages - free) * page_bytes > MOST_BYTES:
            going = max(going, (span or 0) // 10)
        if going:
            connection.execute("DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT ?)", (going,))

    def events(self, model: str, instance: str, limit: int = EVENTS_KEPT) -> list[dict[str, Any]]:
        """Give the last lines of an instance's log, the latest first."""
        with self.database.reading() as connection:
            rows = connection.execute(
                "SELECT time_s, text, details FROM events WHERE model = ? AND instance = ? ORDER BY id DESC LIMIT ?",
                (model, instance, limit),
            ).fetchall()
        return [{"time_s": row["time_s"], "text": row["text"], "details": _details(row["details"])} for row in rows]

    # --- what people do ---------------------------------------------------------------------

    def find(self, wanted: Filter) -> tuple[list[Matter], int, dict[str, int]]:
        """Give one page of matters, how many there are, and how many are live by severity."""
        with self.database.reading() as connection:
            return *matters.find(connection, wanted), matters.counts(connection)

    def decide(self, ids: Sequence[int], state: MatterState, *, by: str, note: str = "") -> list[Change]:
        """Acknowledge or resolve matters."""
        now_s = self._now()
        with self.database.transaction() as connection:
            changes = matters.decide(connection, ids, Decision(state=state, by=by, note=note, at_s=now_s))
            outbox.enqueue(connection, changes, things.every(connection, Delivery), now_s)
            return changes

    def erase_model(self, model: str) -> None:
        """Forget all about a model, its rules too."""
        with self.database.transaction() as connection:
            for table in ("matters", "events", "places"):
                connection.execute(f"DELETE FROM {table} WHERE model = ?", (model,))  # noqa: S608 - our own names
            for rule in things.every(connection, Rule):
                if rule.model == model:
                    things.remove(connection, Rule, rule.id, self._now())

    def tidy(self) -> None:
        """Let go what is older, or more, than is kept."""
        with self.database.transaction() as connection:
            matters.trim(connection)
            things.purge(connection, self._now())
            self._trim_events(connection)

    def close(self) -> None:
        """Close the file."""
        self.database.close()


def _is_named(one: Alert | Event) -> bool:
    """Tell whether an instance's name is one: what a worker makes up may be of any length."""
    return 0 < len(one.instance) <= LONGEST_INSTANCE


def _raised(one: Alert) -> Raised:
    return Raised(
        model=one.model[:LONGEST_NAME],
        instance=one.instance[:LONGEST_NAME],
        key=one.key,
        severity=one.severity,
        text=one.text,
        details=bytes(one.details),
        time_s=_time(one.time_s),
    )


def _time(time_s: float) -> float:
    """Read a worker's time: a program of the owner's may write anything, and what is no number would break each reader."""
    return time_s if 0 <= time_s < LATEST_S else 0.0


def _details(content: bytes) -> Any:
    if len(content) > LARGEST_DETAILS:
        return {"left_out": f"more than {LARGEST_DETAILS} bytes"}
    return msgspec.json.decode(content)
