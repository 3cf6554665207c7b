"""Lists, groups and points are what plain Python makes of the same instances, however many workers share them."""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime import Context, Twin, on_message
from realtime.model import read_model
from realtime.queries import questions as wire
from realtime.queries.answers import Answers
from realtime.queries.merging import merge_groups, merge_points, merge_rows, quantile
from realtime.queries.questions import Aggregate, Grouping, Listing, Measure, One, Points, Sort, Top
from tests.unit.realtime.query_fleet import Seen, ask_worker, bodies, partitions, refusal, some_fleet, tell

FLEET, TOLD = some_fleet()
KEYS = {
    "region": lambda r: r["region"].value,
    "label": lambda r: r["label"],
    "ok": lambda r: r["ok"],
    "count": lambda r: r["count"],
    "place.floor": lambda r: r["floor"],
    "level": lambda r: r["level"],
}


def groups(question: Aggregate, *, workers: int = 1) -> dict[tuple[Any, ...], dict[str, Any]]:
    merged = merge_groups(question, bodies(question, wire.Groups, FLEET, workers=workers))
    return {tuple(one["key"]): one["values"] for one in merged["groups"]}


def listed(question: Listing, *, workers: int = 1) -> list[str]:
    merged = merge_rows(question, bodies(question, wire.Rows, FLEET, workers=workers))
    return [one["id"] for one in merged["instances"]]


def exact(values: list[float], of: str) -> Any:
    """Calculate a measure as anybody would."""
    if of == "count":
        return len(values)
    if of == "distinct":
        return len(set(values))
    if not values:
        return None
    if of[0] == "p":
        ordered, at = sorted(values), float(of[1:]) / 100 * (len(values) - 1)
        low = math.floor(at)
        return ordered[low] + (ordered[min(low + 1, len(ordered) - 1)] - ordered[low]) * (at - low)
    return {"sum": sum(values), "min": min(values), "max": max(values), "avg": sum(values) / len(values)}[of]


# --- groups ----------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.sampled_from(sorted(KEYS)), max_size=3, unique=True),
    st.sampled_from(["count", "sum", "min", "max", "avg", "distinct", "p0", "p50", "p95", "p99.9", "p100"]),
    st.sampled_from(["level", "count", "place.floor"]),
    st.integers(1, 4),
)
def test_a_measure_of_groups_is_what_plain_python_calculates(by: list[str], of: str, about: str, workers: int) -> None:
    """A dashboard that is nearly right is worse than none."""
    question = Aggregate(group_by=[Grouping(field=one) for one in by], measures=[Measure(of=of, field=about, name="m")])
    expected: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    for row in TOLD.values():
        value = KEYS[about](row)
        expected[tuple(KEYS[one](row) for one in by)] += [] if value is None else [value]
    found = groups(question, workers=workers)
    assert set(found) == set(expected)
    for key, values in expected.items():
        assert found[key]["m"] == pytest.approx(exact(values, of)), key


@pytest.mark.parametrize("of", ["distinct", "p50"])
@pytest.mark.parametrize("by", [[], [Grouping(field="region")]])
@pytest.mark.parametrize("about", ["label", "id", "ok", "count", "day"])
def test_values_are_gathered_with_groups_and_without(of: str, by: list[Grouping], about: str) -> None:
    """Two workers know some of the same values; they count once."""
    if of != "distinct" and about != "count":
        return
    question = Aggregate(group_by=by, measures=[Measure(of=of, field=about)])
    assert groups(question, workers=2) == groups(question)


def test_bins_are_ranges_of_numbers_and_stretches_of_time() -> None:
    """A histogram, and a line over hours."""
    question = Aggregate(group_by=[Grouping(field="level", bin=5)])
    by_bin: dict[Any, int] = defaultdict(int)
    for row in TOLD.values():
        by_bin[None if row["level"] is None else math.floor(row["level"] / 5) * 5.0] += 1
    assert {key[0]: values["count"] for key, values in groups(question, workers=2).items()} == by_bin
    six_hours = groups(Aggregate(group_by=[Grouping(field="at", every_s=6 * 3600)]), workers=3)
    assert list(six_hours) == [(f"2026-01-01T{hour:02}:00:00Z",) for hour in (0, 6, 12, 18)]
    weeks = groups(Aggregate(group_by=[Grouping(field="day", every_s=7 * 86400)]))
    assert (None,) in weeks
    assert sum(one["count"] for one in weeks.values()) == len(TOLD)
    days = groups(Aggregate(group_by=[Grouping(field="day")], measures=[Measure(of="max", field="day")]))
    assert days[("2026-01-02",)] == {"max_day": "2026-01-02"}


def test_the_top_groups_are_those_of_all_workers() -> None:
    """The best of each worker need not be the best of all."""
    question = Aggregate(
        group_by=[Grouping(field="label")],
        measures=[Measure(of="count"), Measure(of="sum", field="count")],
        top=Top(measure="sum_count", n=3),
    )
    whole = {key: one["sum_count"] for key, one in groups(msgspec.structs.replace(question, top=None)).items()}
    best = sorted(whole.values(), reverse=True)[:3]
    for workers in (1, 3):
        assert [one["sum_count"] for one in groups(question, workers=workers).values()] == best


def test_a_condition_that_nothing_fulfils_gives_a_count_of_zero() -> None:
    """The number on the page is 0, and no error."""
    measures = [Measure(of="count"), Measure(of="avg", field="level"), Measure(of="p50", field="level")]
    for workers in (1, 2):
        found = groups(Aggregate(where="level > 1e9", measures=measures), workers=workers)
        assert found == {(): {"count": 0, "avg_level": None, "p50_level": None}}
        assert groups(Aggregate(where="level > 1e9", group_by=[Grouping(field="ok")]), workers=workers) == {}


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(0, 1))
def test_a_percentile_of_few_values_is_that_of_many(values: list[float], part: float) -> None:
    """Two ways to calculate one figure must not differ."""
    import array  # noqa: PLC0415

    few = quantile([array.array("d", values).tobytes()], part)
    many = quantile([array.array("d", sorted(values * 1)).tobytes()], part)
    assert few == many
    long = quantile([array.array("d", [one for one in values for _ in range(1001)]).tobytes()], 1.0)
    assert long == max(values)


@pytest.mark.parametrize(
    ("question", "word"),
    [
        (Aggregate(measures=[Measure(of="avg", field="label")]), "'label'"),
        (Aggregate(measures=[Measure(of="avg")]), "needs a field"),
        (Aggregate(measures=[Measure(of="max", field="history")]), "history.count"),
        (Aggregate(group_by=[Grouping(field="regon")]), "Did you mean 'region'?"),
        (Aggregate(group_by=[Grouping(field="region", bin=2)]), "no bins"),
        (Aggregate(group_by=[Grouping(field="ok", every_s=2)]), "no time"),
        (Aggregate(measures=[Measure(of="count"), Measure(of="count")]), "Two measures"),
        (Aggregate(top=Top(measure="sum")), "Measures: count"),
        (Listing(sort=[Sort("nothing")]), "to sort by"),
        (Listing(fields=["nothing"]), "to show"),
        (Listing(offset=19_990, limit=100), "pages end"),
        (Points(x="label", y="level"), "two numbers"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused_in_words(question: Any, word: str) -> None:
    """Whoever builds a page sees what to change."""
    answer = refusal(question, FLEET)
    assert word in f"{answer.what} {answer.fix}"


def test_too_many_groups_are_refused_and_not_sent() -> None:
    """A group for each of a million instances would fill the memory of the service."""
    those = partitions(1)
    number = 50_001
    those[0].restore([f"d{n}" for n in range(number)], [those[0].model.kind() for _ in range(number)])
    answer = refusal(Aggregate(group_by=[Grouping(field="id")]), those)
    assert "50,001 groups" in answer.what


# --- lists -----------------------------------------------------------------------------------


def by_python(sort: list[Sort]) -> list[str]:
    """Sort as anybody would: what has no value last, and else in the order of partition and appearance."""
    names = [name for one in FLEET for name in one.names]
    for one in reversed(sort):
        values = {name: name if one.field == "id" else KEYS[one.field](TOLD[name]) for name in names}
        known = [name for name in names if values[name] is not None]
        known.sort(key=values.__getitem__, reverse=one.descending)
        names = known + [name for name in names if values[name] is None]
    return names


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.builds(Sort, st.sampled_from(["id", *KEYS]), st.booleans()), max_size=3),
    st.integers(0, 130),
    st.integers(0, 50),
    st.integers(1, 4),
)
def test_a_page_is_a_part_of_the_whole_in_its_order(sort: list[Sort], offset: int, limit: int, workers: int) -> None:
    """Whoever turns pages sees each instance once, from several workers too."""
    question = Listing(sort=sort, offset=offset, limit=limit, fields=[])
    assert listed(question, workers=workers) == by_python(sort)[offset : offset + limit]


def test_a_list_shows_what_is_asked_for_and_how_many_there_are() -> None:
    """Lists and dicts are shown too where they are named, though they have no columns."""
    question = Listing(where="id = 'd8'", fields=["level", "history", "history.count", "place.floor", "id", "day"])
    merged = merge_rows(question, bodies(question, wire.Rows, FLEET))
    row = TOLD["d8"]
    assert merged["total"] == 1
    assert msgspec.json.decode(merged["instances"][0]["fields"]) == {
        "level": row["level"],
        "history": [row["level"]],
        "history.count": 1,
        "place.floor": 8,
        "id": "d8",
        "day": None,
    }


def test_points_have_both_numbers_and_come_as_columns() -> None:
    """A map of 20,000 nodes is sent as few long lists."""
    question = Points(x="level", y="place.floor", fields=["region", "day"])
    merged = merge_points(bodies(question, wire.Places, FLEET, workers=2), 1000)
    shown = {name for name, row in TOLD.items() if row["level"] is not None and row["floor"] is not None}
    assert set(merged["ids"]) == shown
    assert merged["total"] == len(shown)
    at = merged["ids"].index("d9")
    assert {name: values[at] for name, values in merged["columns"].items()} == {
        "level": TOLD["d9"]["level"],
        "place.floor": 0,
        "region": "NW",
        "day": "2026-01-10",
    }


def test_one_instance_is_told_in_full() -> None:
    """The page of a device shows all of it."""
    found = bodies(One(id="d8"), wire.State, FLEET)[0]
    assert msgspec.json.decode(found.state)["place"] == {"floor": 8, "longitude": 0.0}
    assert bodies(One(id="nobody"), wire.State | None, FLEET)[0] is None  # type: ignore[arg-type]


# --- who answers, and with what --------------------------------------------------------------


def test_a_worker_answers_only_for_partitions_that_it_was_given_and_has() -> None:
    """While a partition moves two workers may have it; it is counted once."""

    async def ask() -> None:
        answers = Answers("w")
        question = Aggregate()
        found = await ask_worker(answers, FLEET, question, {"w": [0, 2, 99], "other": [1, 3]})
        assert found is not None
        assert found.partitions == [0, 2]
        count = msgspec.msgpack.decode(found.body, type=wire.Groups).instances
        assert count == len(FLEET[0].names) + len(FLEET[2].names)
        assert await ask_worker(answers, FLEET, question, {"other": [0, 1, 2, 3]}) is None
        assert await ask_worker(answers, FLEET, question, {"w": [99]}) is None

    asyncio.run(ask())


def test_another_version_of_the_model_is_answered_for_with_its_own_fields() -> None:
    """A field that became a text must not be looked for among numbers of yesterday."""

    class Device(Twin):
        level: str = ""
        extra: int = 7

        @on_message(Seen)
        def see(self, message: Seen, context: Context) -> None:
            self.level = str(message.level)

    those, _ = some_fleet()
    answers = Answers("w")
    assigned = {"w": [0, 1, 2, 3]}

    async def ask(question: wire.Question) -> Any:
        found = await ask_worker(answers, those, question, assigned)
        assert found is not None
        assert not found.what, found
        return msgspec.msgpack.decode(found.body, type=wire.Groups)

    async def life() -> None:
        whole = await ask(Aggregate(where="level > -100", measures=[Measure(of="sum", field="count")]))
        assert whole.instances > 0
        for one in those:
            one.restore(one.names, [Device(level="high") for _ in one.names])
            one.model = read_model(Device)
        found = await ask(Aggregate(where="level = 'high'", measures=[Measure(of="sum", field="extra")]))
        assert (found.instances, found.parts["m0.s"]) == (len(TOLD), [7.0 * len(TOLD)])

    asyncio.run(life())


def test_large_answers_come_in_parts_that_the_broker_takes() -> None:
    """A message of more than the broker's limit would never arrive."""
    those = partitions(1)
    those[0].restore(
        [f"device-{n:060}" for n in range(30_000)], [those[0].model.kind(level=1.0) for _ in range(30_000)]
    )

    async def ask() -> list[bytes]:
        asked = wire.Asked(question=Points(x="level", y="level"), partitions={"w": [0]})
        return await Answers("w").answer(those, msgspec.msgpack.encode(asked))

    parts = asyncio.run(ask())
    assert len(parts) > 1
    assert all(len(one) < 1_000_000 for one in parts)
    read = {one.number: one for one in (msgspec.msgpack.decode(part, type=wire.Part) for part in parts)}
    some = dict(list(read.items())[1:])
    assert wire.read_parts(some) is None
    answer = wire.read_parts(read)
    assert answer is not None
    assert len(msgspec.msgpack.decode(answer.body, type=wire.Places).ids) == 30_000


def test_what_is_no_question_is_answered_and_breaks_nothing() -> None:
    """Anybody in the owner's account may publish anything."""
    for data in (b"", b"\xff", b"{}", msgspec.msgpack.encode({"question": {"type": "list", "limit": 10**9}})):
        parts = asyncio.run(Answers("w").answer(FLEET, data))
        assert all(msgspec.msgpack.decode(one, type=wire.Part).worker == "w" for one in parts)


def test_a_worker_that_takes_long_says_so() -> None:
    """Who asked waits longer, rather than calling the partitions missing."""
    told: list[bytes] = []
    heard = asyncio.Event()

    class Slow(Answers):
        async def _body(self, *given: Any) -> Any:
            await heard.wait()
            return await super()._body(*given)

    async def hear(data: bytes) -> None:
        told.append(data)
        heard.set()

    async def ask() -> None:
        asked = wire.Asked(question=Aggregate(), partitions={"w": [0]})
        assert await Slow("w").answer(FLEET, msgspec.msgpack.encode(asked), hear)

    asyncio.run(ask())
    assert msgspec.msgpack.decode(told[0], type=wire.Part).count == 0


def test_times_and_days_are_told_as_people_write_them() -> None:
    """Nobody reads microseconds since 1970."""
    those = partitions(1)
    tell(those, a={"at": datetime(2026, 2, 3, 4, 5, 6, 500_000, tzinfo=UTC), "day": date(2026, 2, 3)})
    question = Aggregate(
        measures=[Measure(of="min", field="at"), Measure(of="max", field="day"), Measure(of="count", field="at")]
    )
    merged = merge_groups(question, bodies(question, wire.Groups, those))
    assert merged["groups"][0]["values"] == {
        "min_at": "2026-02-03T04:05:06.500000Z",
        "max_day": "2026-02-03",
        "count_at": 1,
    }
