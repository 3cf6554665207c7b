"""The mirror of the states in columns is what the states are, after whatever happened to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.model import read_model
from realtime.partition import Partition
from realtime.queries.column import LONGEST_TEXT, Column
from realtime.queries.columns import UNUSED_S, Columns
from realtime.queries.fields import read_fields
from tests.unit.realtime.query_fleet import Device, Region, partitions, some_fleet, tell

FIELDS = read_fields(Device)
ALL = [one for one in FIELDS.values() if one.path and one.kind != "none"]


def seen(columns: Columns, name: str) -> dict[str, Any]:
    """Give a column by instance."""
    values = columns.series(FIELDS[name])
    if FIELDS[name].kind == "text" and name != "id":
        values = columns.texts(name).gather(values)
    names = [columns.instance(place)[0] for place in columns.places().to_list()]
    return dict(zip(names, values.to_list(), strict=True))


def refresh(columns: Columns, those: list[Partition], *names: str) -> None:
    asyncio.run(columns.refresh(those, [FIELDS[name] for name in names]))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(-5, 5), st.sampled_from([None, "a", "b", "c"]), st.integers(0, 3))
    )
)
def test_columns_follow_all_changes_whenever_they_are_asked_for(
    happened: list[tuple[int, int, str | None, int]],
) -> None:
    """A question a minute later must see what changed meanwhile, in columns that were used last at different times."""
    columns, those = Columns(), partitions(3)
    told: dict[str, tuple[int, str | None]] = {}
    for device, count, label, question in happened:
        tell(those, **{f"d{device}": {"count": count, "label": label}})
        told[f"d{device}"] = (count, label)
        if question:
            refresh(
                columns,
                those,
                *["count", "label"][: question if question < 3 else 1],
                *(["id"] if question == 3 else []),
            )
            assert seen(columns, "count") == {name: one[0] for name, one in told.items()}
        if question == 2:
            assert seen(columns, "label") == {name: one[1] for name, one in told.items()}
        if question == 3:
            assert seen(columns, "id") == {name: name for name in told}


def test_all_kinds_of_fields_are_mirrored() -> None:
    """Numbers, texts, choices, days, moments, and what is missing."""
    those, told = some_fleet()
    columns = Columns()
    asyncio.run(columns.refresh(those, ALL))
    for name, row in told.items():
        assert seen(columns, "level")[name] == row["level"]
        assert seen(columns, "place.floor")[name] == row["floor"]
        assert seen(columns, "ok")[name] is row["ok"]
        assert seen(columns, "region")[name] == row["region"].value
        assert seen(columns, "history.count")[name] == 1
        day = seen(columns, "day")[name]
        assert (None if day is None else date(1970, 1, 1) + timedelta(days=day)) == row["day"]
        assert datetime.fromtimestamp(seen(columns, "at")[name] / 1e6, UTC) == row["at"]


@pytest.mark.parametrize("wrong", [object(), "text", [1], {}, b"x", 10**400, float("nan"), "\ud800", 1.5, None, True])
@pytest.mark.parametrize("field", [one.name for one in ALL])
def test_what_handlers_set_that_is_not_of_the_fields_type_breaks_nothing(field: str, wrong: object) -> None:
    """Python lets a handler set anything; the other instances must still be counted."""
    good, bad = Device(level=1.0, count=2, region=Region.SE, label="x", ok=True), Device()
    *path, last = FIELDS[field].path.split(".")
    setattr(bad.place if path else bad, last, wrong)
    column = Column(FIELDS[field], 3)
    column.write(slice(0, 3), [good, bad, good])
    values = column.series(3).to_list()
    assert values[0] == values[2]


def test_very_long_texts_are_cut() -> None:
    """A text of a megabyte in each of a million instances would not fit."""
    column = Column(FIELDS["label"], 1)
    column.write(slice(0, 1), [Device(label="é" * 5000)])
    assert column.dictionary is not None
    assert column.dictionary.texts[1] == "é" * LONGEST_TEXT
    assert len(column.dictionary) < 4


def test_texts_that_no_instance_has_any_longer_are_forgotten() -> None:
    """A field with the last words of each device would grow for ever."""
    columns, those = Columns(), partitions(1)
    for number in range(1500):
        asyncio.run(_set(those[0], f"text {number}"))
        refresh(columns, those, "label")
    assert len(columns.texts("label")) < 1100
    assert seen(columns, "label") == {"a": "text 1499"}


async def _set(partition: Partition, label: str) -> None:
    from realtime.frames import Group, Item  # noqa: PLC0415

    await partition.apply(1.0, (Group((Item("a", b'{"label":"%s"}' % label.encode()),)),), partition.position + 1)


def test_columns_that_nobody_uses_are_dropped_and_made_again() -> None:
    """A person's one question must not cost memory for ever."""
    now = 0.0
    columns, those = Columns(clock=lambda: now), some_fleet()[0]
    refresh(columns, those, "level", "id")
    now = UNUSED_S - 1
    refresh(columns, those, "count")
    now = UNUSED_S + 1
    columns.forget_unused()
    assert set(columns.bytes) == {"places", "count"}
    refresh(columns, those, "level")
    assert len(seen(columns, "level")) == 120
    now = 3 * UNUSED_S
    columns.forget_unused()
    assert columns.count == 0
    refresh(columns, those, "level")
    assert len(seen(columns, "level")) == 120


def _moved(those: list[Partition]) -> list[Partition]:
    return those[:2]


def _restored(those: list[Partition]) -> list[Partition]:
    those[0].restore(["new"], [Device(count=77)])
    return those


def _another(those: list[Partition]) -> list[Partition]:
    one = Partition(read_model(Device), number=0)
    one.restore(["other"], [Device(count=78)])
    return [one, *those[1:]]


@pytest.mark.parametrize("happens", [_moved, _restored, _another])
def test_a_partition_that_goes_or_begins_anew_leaves_nothing_behind(
    happens: Callable[[list[Partition]], list[Partition]],
) -> None:
    """Another worker may have it by now, and instances must not be counted twice."""
    those, _ = some_fleet()
    columns = Columns()
    refresh(columns, those, "count", "id")
    after = happens(those)
    refresh(columns, after, "count", "id")
    expected = {name: one.get(name).count for one in after for name in one.names}  # type: ignore[attr-defined]
    assert seen(columns, "count") == expected
    assert seen(columns, "id") == {name: name for name in expected}


def test_a_refresh_that_was_cut_off_loses_no_change() -> None:
    """A worker that is told to leave in the middle of a question may go on after all."""
    those, told = some_fleet()
    columns = Columns()
    refresh(columns, those, "count")

    async def cut() -> None:
        work = asyncio.create_task(columns.refresh(those, [FIELDS["count"], FIELDS["level"]]))
        await asyncio.sleep(0)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    tell(those, d1={"count": 1000})
    asyncio.run(cut())
    refresh(columns, those, "count")
    assert seen(columns, "count") == {name: row["count"] for name, row in told.items()} | {"d1": 1000}


def test_the_loop_is_not_held_while_columns_are_made() -> None:
    """Messages are handled between slices, or devices would wait for somebody's question."""
    those = partitions(1)
    those[0].restore([f"d{n}" for n in range(30_000)], [Device(level=1.0) for _ in range(30_000)])
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def run() -> None:
        counting = asyncio.create_task(count())
        await Columns().refresh(those, ALL)
        counting.cancel()

    asyncio.run(run())
    assert turns > 5
