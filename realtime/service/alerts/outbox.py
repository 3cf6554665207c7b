"""The outbox: what is still to be delivered, on disk with the alert that it is about."""

from __future__ import annotations

import sqlite3
from typing import Final

import msgspec

from realtime.service.alerts.matters import Change
from realtime.service.alerts.models import RANK, Delivery, Matter, Notice
from realtime.service.alerts.things import matches

MOST_WAITING: Final = 10_000
"""For one delivery; what comes above is in the list of alerts only, and the delivery says so."""
ROUND: Final = 200
"""Of one delivery; a digest holds as many."""
FIRST_WAIT_S: Final = 5.0
LONGEST_WAIT_S: Final = 3600.0


def enqueue(connection: sqlite3.Connection, changes: list[Change], deliveries: list[Delivery], now_s: float) -> int:
    """Note what goes where; give how much that is."""
    rows = [
        (delivery.id, what, msgspec.json.encode(matter), now_s, now_s)
        for delivery in deliveries
        if delivery.enabled
        for what, matter in _due(changes, delivery)
    ]
    if not rows:
        return 0
    counts = waiting(connection)
    kept = []
    for row in rows:
        counts[row[0]] = counts.get(row[0], 0) + 1
        if counts[row[0]] <= MOST_WAITING:
            kept.append(row)
    connection.executemany("INSERT INTO outbox (delivery, what, matter, made_s, next_s) VALUES (?, ?, ?, ?, ?)", kept)
    for name, count in counts.items():
        if count > MOST_WAITING:
            note(connection, name, ok=False, text=f"{MOST_WAITING} alerts wait; newer ones are left out.", at_s=now_s)
    return len(kept)


def _due(changes: list[Change], delivery: Delivery) -> list[Change]:
    wanted = {"raised", "worse"} | ({"resolved"} if delivery.resolved else set())
    return [
        (what, matter)
        for what, matter in changes
        if what in wanted
        and not matter.silenced
        and RANK[matter.severity] >= RANK[delivery.severity]
        and matches(delivery.model, matter.model)
    ]


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the outbox."""

    number: int
    delivery: str
    notice: Notice
    made_s: float
    tries: int


def due(connection: sqlite3.Connection, owner: str, now_s: float) -> dict[str, list[Waiting]]:
    """Give what should be tried now by delivery, the oldest first, and no more than a round's worth of each."""
    names = connection.execute("SELECT DISTINCT delivery FROM outbox WHERE next_s <= ?", (now_s,)).fetchall()
    return {name: [_waiting(row, owner) for row in _rows(connection, name, now_s)] for (name,) in names}


def _rows(connection: sqlite3.Connection, delivery: str, now_s: float) -> list[sqlite3.Row]:
    return connection.execute(
        "SELECT * FROM outbox WHERE delivery = ? AND next_s <= ? ORDER BY id LIMIT ?", (delivery, now_s, ROUND)
    ).fetchall()


def _waiting(row: sqlite3.Row, owner: str) -> Waiting:
    return Waiting(
        number=row["id"],
        delivery=row["delivery"],
        made_s=row["made_s"],
        tries=row["tries"],
        notice=Notice(
            id=f"{row['id']}-{row['delivery']}",
            what=row["what"],
            owner=owner,
            matter=msgspec.json.decode(row["matter"], type=Matter),
        ),
    )


def done(connection: sqlite3.Connection, numbers: list[int]) -> None:
    """Take out what has arrived, or will never."""
    connection.executemany("DELETE FROM outbox WHERE id = ?", [(number,) for number in numbers])


def postpone(connection: sqlite3.Connection, one: Waiting, now_s: float) -> None:
    """Try again later, each time after twice as long."""
    wait_s = min(FIRST_WAIT_S * 2.0 ** min(one.tries, 20), LONGEST_WAIT_S)
    connection.execute("UPDATE outbox SET tries = tries + 1, next_s = ? WHERE id = ?", (now_s + wait_s, one.number))


def hold(connection: sqlite3.Connection, delivery: str, until_s: float) -> None:
    """Keep what waits for a delivery until a time, without counting that as a try."""
    connection.execute("UPDATE outbox SET next_s = ? WHERE delivery = ? AND next_s < ?", (until_s, delivery, until_s))


def waiting(connection: sqlite3.Connection) -> dict[str, int]:
    """Count what waits, by delivery."""
    return dict(connection.execute("SELECT delivery, count(*) FROM outbox GROUP BY delivery").fetchall())


def note(connection: sqlite3.Connection, delivery: str, *, ok: bool, text: str, at_s: float) -> None:
    """Keep what came of the last try."""
    connection.execute(
        "INSERT INTO results (delivery, ok, text, at_s) VALUES (?, ?, ?, ?) ON CONFLICT (delivery) DO UPDATE SET "
        "ok = excluded.ok, text = excluded.text, at_s = excluded.at_s",
        (delivery, ok, text[:500], at_s),
    )


def with_results(connection: sqlite3.Connection, deliveries: list[Delivery]) -> list[Delivery]:
    """Fill in what came of each one's last try, and how much waits."""
    results = {row["delivery"]: row for row in connection.execute("SELECT * FROM results")}
    counts = waiting(connection)
    for delivery in deliveries:
        delivery.waiting = counts.get(delivery.id, 0)
        if row := results.get(delivery.id):
            delivery.result, delivery.result_ok, delivery.result_s = row["text"], bool(row["ok"]), row["at_s"]
    return deliveries
