"""Rules on state: they raise once, resolve when the condition ends, and never guess."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from realtime.errors import QueryRefused
from realtime.service.alerts import things
from realtime.service.alerts.book import Book
from realtime.service.alerts.matters import Filter
from realtime.service.alerts.models import MatterState, Rule
from realtime.service.alerts.rules import Rules, fill, plan_rule
from realtime.service.alerts.service import Alerts
from twinhub.settings.realtime_delivery import Delivery as Settings


class Fleet:
    """Answers as the workers would."""

    def __init__(self) -> None:
        self.states: dict[str, dict[str, Any]] = {}
        self.more = False
        self.error: QueryRefused | None = None

    async def matching(
        self, space: Any, model: str, where: str, *, limit: int
    ) -> tuple[list[tuple[str, dict[str, Any]]], bool]:
        if self.error:
            raise self.error
        return sorted(self.states.items()), self.more

    async def check_where(self, space: Any, model: str, where: str) -> None:
        """Anything goes."""


@pytest.fixture
def book(tmp_path: Path) -> Any:
    made = Book("anna", tmp_path / "anna.sqlite")
    yield made
    made.close()


class Bench:
    """A book, a rule and a clock."""

    def __init__(self, book: Book, **rule: Any) -> None:
        self.book, self.fleet, self.now_s = book, Fleet(), 1000.0
        self.rules = Rules(self.fleet, now=lambda: self.now_s)
        given = {
            "id": "r1",
            "name": "hot",
            "model": "Boiler",
            "where": "t > 100",
            "key": "hot",
            "text": "{instance}: {t} C",
        }
        with book.database.transaction() as connection:
            things.put(connection, Rule(**{**given, **rule}))

    def round(self) -> list[tuple[str, str]]:
        space: Any = SimpleNamespace(owner="anna", label="anna")
        return [(what, one.instance) for what, one in asyncio.run(self.rules.evaluate(space, self.book))]

    def rule(self) -> Rule:
        with self.book.database.reading() as connection:
            return things.get(connection, Rule, "r1")


def test_a_rule_raises_once_and_resolves_when_it_holds_no_more(book: Book) -> None:
    """An alert every five seconds for the same boiler would be noise."""
    bench = Bench(book)
    bench.fleet.states = {"k1": {"t": 101.25}}
    assert bench.round() == [("raised", "k1")]
    assert bench.round() == []
    matter = book.find(Filter())[0][0]
    assert (matter.text, matter.rule, matter.count) == ("k1: 101.25 C", "r1", 1)
    bench.fleet.states = {}
    assert bench.round() == [("resolved", "k1")]
    bench.fleet.states = {"k1": {"t": 102}}
    assert bench.round() == [("raised", "k1")]


def test_a_rule_waits_until_it_has_held_long_enough(book: Book) -> None:
    """A peak of a second is no over-temperature of a minute; a break begins the minute anew."""
    bench = Bench(book, for_s=60.0)
    bench.fleet.states = {"k1": {"t": 101}}
    assert bench.round() == []
    bench.now_s += 59
    assert bench.round() == []
    bench.fleet.states = {}
    assert bench.round() == []
    bench.fleet.states = {"k1": {"t": 101}}
    bench.now_s += 10
    assert bench.round() == []
    bench.now_s += 60
    assert bench.round() == [("raised", "k1")]


def test_workers_that_are_away_resolve_nothing(book: Book) -> None:
    """No answer is not the answer that all is well."""
    bench = Bench(book)
    bench.fleet.states = {"k1": {"t": 101}}
    bench.round()
    bench.fleet.error = QueryRefused("The workers of 'Boiler' do not answer.", "Wait.")
    assert bench.round() == []
    assert "do not answer" in bench.rule().trouble
    bench.fleet.error = None
    assert bench.round() == []
    assert bench.rule().trouble == ""


def test_a_list_that_was_cut_resolves_nothing_and_says_so(book: Book) -> None:
    """One that is not among the first thousand may match all the same."""
    bench = Bench(book)
    bench.fleet.states = {"k1": {"t": 101}, "k2": {"t": 102}}
    bench.round()
    bench.fleet.states, bench.fleet.more = {"k1": {"t": 101}}, True
    assert bench.round() == []
    assert "More than" in bench.rule().trouble


def test_an_acknowledged_alert_stays_so_while_the_rule_holds(book: Book) -> None:
    """Whoever has acknowledged it is not asked again each round."""
    bench = Bench(book)
    bench.fleet.states = {"k1": {"t": 101}}
    bench.round()
    book.decide([book.find(Filter())[0][0].id], MatterState.ACKNOWLEDGED, by="bert")
    assert bench.round() == []
    bench.fleet.states = {}
    assert bench.round() == [("resolved", "k1")]


def test_a_rule_that_goes_takes_its_alerts_along(book: Book) -> None:
    """Nobody would ever resolve them."""
    bench = Bench(book)
    bench.fleet.states = {"k1": {"t": 101}}
    bench.round()
    assert [what for what, _ in Rules.resolve_all(book, "r1", "The rule was removed.")] == ["resolved"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{t} of {instance}", "101.5 of k1"),
        ("{place.lon}", "8.5"),
        ("{missing} {place.missing}", "{missing} {place.missing}"),
        ("{t.__class__} {0} {t!r} {t:9999999d}", "{t.__class__} {0} {t!r} {t:9999999d}"),
        ("{long}", "x" * 100),
    ],
)
def test_placeholders_give_values_and_nothing_else(text: str, shown: str) -> None:
    """A rule's text must not reach into Python, nor make a text of a gigabyte."""
    assert fill(text, {"t": 101.5, "instance": "k1", "place": {"lon": 8.5}, "long": "x" * 5000}) == shown


def test_silent_workers_hold_up_the_other_rules_for_one_round_only(book: Book) -> None:
    """Five hundred rules of models that do not answer would take a quarter of an hour."""
    bench = Bench(book)
    asked: list[str] = []

    async def matching(space: Any, model: str, where: str, *, limit: int) -> tuple[list[Any], bool]:
        asked.append(where)
        await asyncio.sleep(0.03)
        return [], False

    bench.fleet.matching = matching  # type: ignore[method-assign]
    with book.database.transaction() as connection:
        for number in range(2, 6):
            things.put(
                connection, Rule(id=f"r{number}", name="n", model="Boiler", where=str(number), key="k", text="t")
            )
    bench.rules = Rules(bench.fleet, most_s=0.05)
    rounds = 0
    while len(set(asked)) < 5:
        bench.round()
        rounds += 1
    assert asked[:5] == ["t > 100", "2", "3", "4", "5"]
    assert rounds > 1


def test_one_owners_silent_workers_do_not_hold_up_anothers_rules(tmp_path: Path) -> None:
    """Rules of all owners come round, whatever one of them runs."""

    async def go() -> None:
        told = asyncio.Event()

        class Silent(Fleet):
            async def matching(
                self, space: Any, model: str, where: str, *, limit: int
            ) -> tuple[list[tuple[str, dict[str, Any]]], bool]:
                if space.owner == "ben":
                    told.set()
                    return [], False
                await asyncio.Event().wait()
                raise AssertionError

        class Everybody:
            async def all(self) -> list[Any]:
                return [SimpleNamespace(owner=one, label=one) for one in ("anna", "ben")]

        spaces: Any = Everybody()
        alerts = Alerts(tmp_path, Settings(), spaces, Silent())
        for space in await spaces.all():
            with (await alerts.book(space)).database.transaction() as connection:
                things.put(connection, Rule(id="r1", name="n", model="Boiler", where="w", key="k", text="t"))
        running = asyncio.create_task(alerts.run())
        await asyncio.wait_for(told.wait(), 20)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await alerts.close()

    asyncio.run(go())


def test_a_round_is_planned_from_sets_alone() -> None:
    """The decision can be read, and checked, without a database."""
    plan = plan_rule({"a", "b"}, {"a": 0.0, "c": 0.0}, {"d"}, now_s=60.0, for_s=60.0, more=False)
    assert (plan.wait, plan.raises, plan.forget, plan.resolve) == ({"b"}, {"a"}, {"c"}, {"d"})
