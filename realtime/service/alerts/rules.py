"""Rules on state: who matches now, against who matched before."""

from __future__ import annotations

import asyncio
import logging
import math
import re
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

import msgspec

from realtime.errors import RealtimeError
from realtime.service.alerts import things
from realtime.service.alerts.book import Book
from realtime.service.alerts.matters import LONGEST_KEY, Change
from realtime.service.alerts.models import MatterState, Raised, Rule
from realtime.service.spaces import Space

MOST_INSTANCES: Final = 1000
"""Of one rule; where more match, the rule says so and raises for the first ones by id."""
PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.]{0,63})\}")
LONGEST_VALUE: Final = 100

log = logging.getLogger("realtime.alerts")
Found = list[tuple[str, dict[str, Any]]]


class Matching(Protocol):
    """Asks the workers."""

    async def matching(self, space: Space, model: str, where: str, *, limit: int) -> tuple[Found, bool]:
        """Give instances for which WHERE holds, by id, with their states, and whether there are more.

        Raises RealtimeError where it cannot be known: 'nobody' would resolve alerts.
        """

    async def check_where(self, space: Space, model: str, where: str) -> None:
        """Raise RealtimeError where a condition could not be evaluated."""


class Rules:
    """Evaluates the rules of owners."""

    def __init__(self, queries: Matching, *, now: Callable[[], float] = time.time, most_s: float = math.inf) -> None:
        self._queries = queries
        self._now = now
        self._most_s = most_s
        self._last: dict[str, str] = {}
        """The rule at which an owner's round ended, where it took too long."""

    async def evaluate(self, space: Space, book: Book) -> list[Change]:
        """Evaluate every rule of an owner once, or as many as the time allows: the next round begins with the others; give what changed."""
        changes, until = list[Change](), time.monotonic() + self._most_s
        last = self._last.pop(space.owner, "")
        rules = await asyncio.to_thread(self._enabled, book)
        for rule in sorted(rules, key=lambda one: (one.id <= last, one.id)):
            if time.monotonic() > until:
                break
            self._last[space.owner] = rule.id
            try:
                found, more = await self._queries.matching(space, rule.model, rule.where, limit=MOST_INSTANCES)
            except RealtimeError as error:
                await asyncio.to_thread(self._trouble, book, rule, f"{error.what} {error.fix}".strip())
                continue
            changes += await asyncio.to_thread(self._settle, book, rule, found, more=more)
        return changes

    @staticmethod
    def _enabled(book: Book) -> list[Rule]:
        with book.database.reading() as connection:
            return [rule for rule in things.every(connection, Rule) if rule.enabled]

    @staticmethod
    def _trouble(book: Book, rule: Rule, trouble: str) -> None:
        if rule.trouble == trouble[:500]:
            return
        with book.database.transaction() as connection:
            current = connection.execute(
                "SELECT content FROM things WHERE kind = 'rule' AND id = ? AND removed_s IS NULL", (rule.id,)
            ).fetchone()
            if current is not None:  # it may have been changed, or removed, in the meantime
                kept = msgspec.json.decode(current[0], type=Rule)
                kept.trouble = trouble[:500]
                things.put(connection, kept)

    def _settle(self, book: Book, rule: Rule, found: Found, *, more: bool) -> list[Change]:
        """Raise for those that have matched long enough and resolve for those that match no more."""
        now_s = self._now()
        with book.database.reading() as connection:
            since = dict(
                connection.execute("SELECT instance, since_s FROM pending WHERE rule = ?", (rule.id,)).fetchall()
            )
            live = dict(
                connection.execute(
                    "SELECT instance, id FROM matters WHERE rule = ? AND state != 'resolved'", (rule.id,)
                ).fetchall()
            )
        states = dict(found)
        plan = plan_rule(set(states), since, set(live), now_s=now_s, for_s=rule.for_s, more=more)
        if plan.wait or plan.forget:
            with book.database.transaction() as connection:
                connection.executemany(
                    "INSERT OR IGNORE INTO pending VALUES (?, ?, ?)", [(rule.id, one, now_s) for one in plan.wait]
                )
                connection.executemany(
                    "DELETE FROM pending WHERE rule = ? AND instance = ?", [(rule.id, one) for one in plan.forget]
                )
        limit = (
            f"More than {MOST_INSTANCES} instances match; alerts are raised for the first of them by id."
            if more
            else ""
        )
        self._trouble(book, rule, limit)
        changes = book.raise_all([_alert(rule, one, states[one], now_s) for one in sorted(plan.raises)])
        if plan.resolve:
            ids = [live[one] for one in sorted(plan.resolve)]
            changes += book.decide(ids, MatterState.RESOLVED, by="", note="The rule's condition holds no more.")
        return changes

    @staticmethod
    def resolve_all(book: Book, rule_id: str, note: str) -> list[Change]:
        """End what a rule raised that there is no more, or that was changed."""
        with book.database.transaction() as connection:
            connection.execute("DELETE FROM pending WHERE rule = ?", (rule_id,))
            rows = connection.execute(
                "SELECT id FROM matters WHERE rule = ? AND state != 'resolved'", (rule_id,)
            ).fetchall()
        return book.decide([row[0] for row in rows], MatterState.RESOLVED, by="", note=note)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a round of a rule brings, by instances."""

    wait: set[str]
    raises: set[str]
    forget: set[str]
    resolve: set[str]


def plan_rule(
    matching: set[str], since: dict[str, float], live: set[str], *, now_s: float, for_s: float, more: bool
) -> Plan:
    """Decide by who matches now, since when each has, and who has a live alert.

    Where more match than were listed, one that is not in the list may match all the
    same, so nothing ends.
    """
    ready = {one for one in matching if for_s <= 0 or now_s - since.get(one, now_s) >= for_s}
    gone = set() if more else (since.keys() - matching)
    return Plan(
        wait=(matching - since.keys()) if for_s > 0 else set(),
        raises=ready - live,
        forget=gone,
        resolve=set() if more else live - matching,
    )


def _alert(rule: Rule, instance: str, state: dict[str, Any], now_s: float) -> Raised:
    return Raised(
        model=rule.model,
        instance=instance,
        key=rule.key[:LONGEST_KEY],
        severity=rule.severity,
        text=fill(rule.text, {"instance": instance, **state}),
        details=msgspec.json.encode({"rule": rule.name}),
        time_s=now_s,
        rule=rule.id,
    )


def fill(text: str, values: dict[str, Any]) -> str:
    """Put values in for {field} and {field.of.field}; what there is not stays as it stands, and nothing else is looked into."""

    def value_of(found: re.Match[str]) -> str:
        value: Any = values
        for part in found[1].split("."):
            if not isinstance(value, dict) or part not in value:
                return found[0]
            value = value[part]
        return f"{value:.6g}"[:LONGEST_VALUE] if isinstance(value, float) else str(value)[:LONGEST_VALUE]

    return PLACEHOLDER.sub(value_of, text)
