"""History on disk: each row once, whatever crashes when; few files; old ones go."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from realtime.frames import Group, Item, encode_frame, encode_items
from realtime.service.history import collecting, segments
from realtime.service.history.collecting import Collector
from realtime.service.history.contract import READ_SCHEMA, SCHEMA, Batch, HistoryKind, Place, Question
from realtime.service.history.embedded import PLACE, Embedded
from realtime.service.history.errors import HistoryRefused
from realtime.service.history.influx import lines, nest
from realtime.service.history.plots import check_fields, guess_fields, plot
from realtime.service.history.postgres import _json as fits_postgres

TELEMETRY = HistoryKind.TELEMETRY


def rows(*given: tuple[str, float, str]) -> pl.DataFrame:
    return pl.DataFrame(
        [(name, int(at * 1_000_000), content) for name, at, content in given], schema=SCHEMA, orient="row"
    )


def batch(first: int, last: int, frame: pl.DataFrame, *, epoch: int = 1, model: str = "Boiler") -> Batch:
    place = Place(epoch=epoch, position=last)
    return Batch(owner="anna", kind=TELEMETRY, first=first, place=place, models={model: frame})


def store_in(folder: Path, **given: Any) -> Embedded:
    return Embedded(folder, **{"keep_days": 30, "owner_bytes": 10**9, "now": lambda: 1000.0, **given})


def contents(store: Embedded, instance: str = "k1", **given: Any) -> list[str]:
    wanted = {
        "owner": "anna",
        "kind": TELEMETRY,
        "model": "Boiler",
        "instance": instance,
        "from_us": 0,
        "to_us": 10**15,
    }
    frame, _ = asyncio.run(store.read(Question(**{**wanted, **given})))
    return frame["content"].to_list()


def place(store: Embedded, epoch: int = 1) -> Place:
    return asyncio.run(store.place("anna", TELEMETRY, epoch))


def write(store: Embedded, *given: Batch) -> None:
    for one in given:
        asyncio.run(store.write(one))


def files(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.rglob("*") if file.is_file())


def test_rows_of_one_instance_are_found_in_order(tmp_path: Path) -> None:
    """A plot of one boiler shows that boiler, from left to right."""
    store = store_in(tmp_path)
    write(store, batch(1, 3, rows(("k2", 1, "x"), ("k1", 2, "b"), ("k1", 1, "a"))), batch(4, 5, rows(("k1", 3, "c"))))
    assert contents(store) == ["a", "b", "c"]
    assert contents(store, from_us=2_000_000, to_us=2_000_000) == ["b"]
    assert contents(store, most=2) == ["b", "c"]
    assert contents(store, "nobody") == []


def test_after_a_crash_before_the_place_was_kept_nothing_of_the_batch_counts(tmp_path: Path) -> None:
    """The messages come again, and must not be there twice."""
    store = store_in(tmp_path)
    write(store, batch(1, 2, rows(("k1", 1, "a"))))
    kept = (tmp_path / "anna" / TELEMETRY / PLACE).read_bytes()
    write(store, batch(3, 4, rows(("k1", 2, "b"))))
    (tmp_path / "anna" / TELEMETRY / PLACE).write_bytes(kept)
    (tmp_path / "anna" / TELEMETRY / "Boiler" / "1-5-6-0-0-1-1.part").write_bytes(b"half")
    again = store_in(tmp_path)
    assert place(again).position == 2
    assert contents(again) == ["a"]
    write(again, batch(3, 4, rows(("k1", 2, "b"))))
    assert contents(again) == ["a", "b"]
    assert not [name for name in files(tmp_path) if name.endswith(".part")]


def test_a_crash_before_the_first_place_leaves_nothing(tmp_path: Path) -> None:
    """The very first batch is no exception."""
    store = store_in(tmp_path)
    write(store, batch(1, 2, rows(("k1", 1, "a"))))
    (tmp_path / "anna" / TELEMETRY / PLACE).unlink()
    again = store_in(tmp_path)
    assert place(again).position == 0
    assert contents(again) == []


def test_a_stream_that_was_made_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    """After a restored backup positions begin again; what is there stays, what comes is added."""
    store = store_in(tmp_path)
    write(store, batch(1, 90, rows(("k1", 1, "a"))))
    again = store_in(tmp_path)
    assert place(again, epoch=2) == Place(epoch=2)
    write(again, batch(1, 5, rows(("k1", 2, "b")), epoch=2))
    assert contents(again) == ["a", "b"]
    third = store_in(tmp_path)
    assert place(third, epoch=2).position == 5
    assert contents(third) == ["a", "b"]


def test_small_segments_become_one_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    """A model with a message a minute must not make a file for each of them."""
    store = store_in(tmp_path)
    for number in range(1, 101):
        write(store, batch(number, number, rows(("k1", number, f"{number}"), (f"other{number}", number, "x"))))
    assert contents(store) == [f"{number}" for number in range(1, 101)]
    assert len(files(tmp_path)) < 30
    again = store_in(tmp_path)
    assert place(again).position == 100
    assert len(contents(again)) == 100


def test_a_crash_between_a_merge_and_the_removal_of_its_parts_doubles_nothing(tmp_path: Path) -> None:
    """Both the whole and its parts are there then."""
    store = store_in(tmp_path)
    parts = {}
    for number in range(1, 9):
        write(store, batch(number, number, rows(("k1", number, f"{number}"))))
        parts |= {file: file.read_bytes() for file in tmp_path.rglob("*.parquet")}
    for file, data in parts.items():
        file.write_bytes(data)
    assert len(files(tmp_path)) == 9
    again = store_in(tmp_path)
    place(again)
    assert contents(again) == [f"{number}" for number in range(1, 9)]
    assert len(files(tmp_path)) == 2


def test_what_is_old_goes_and_then_what_is_too_much(tmp_path: Path) -> None:
    """A disk has an end; the newest is what people look at."""
    day_s = 86_400.0
    store = store_in(tmp_path, keep_days=2, owner_bytes=10**9, now=lambda: 10 * day_s)
    for number in range(1, 6):
        write(store, batch(number, number, rows(("k1", (5 + number) * day_s, f"{number}"))))
    asyncio.run(store.tidy())
    assert contents(store) == ["3", "4", "5"]
    size = next(tmp_path.rglob("*.parquet")).stat().st_size
    store._owner_bytes = int(size * 2.5)
    asyncio.run(store.tidy())
    assert contents(store) == ["4", "5"]


def test_a_model_can_be_forgotten(tmp_path: Path) -> None:
    """What is erased is gone from the disk too."""
    store = store_in(tmp_path)
    write(store, batch(1, 1, rows(("k1", 1, "a"))), batch(2, 2, rows(("k1", 1, "x")), model="Kettle"))
    asyncio.run(store.forget("anna", "Boiler"))
    assert contents(store) == []
    assert contents(store, model="Kettle") == ["x"]
    asyncio.run(store.forget("anna"))
    assert contents(store, model="Kettle") == []
    assert files(tmp_path) == []
    assert place(store).position == 0


def test_one_instance_of_many_is_read_from_a_small_part_of_a_segment(tmp_path: Path) -> None:
    """Sorted rows and their statistics keep a plot from reading everybody's data."""
    frame = rows(*((f"k{number % 1000:04}", number, "x" * 20) for number in range(50_000)))
    segment = segments.write(tmp_path, frame, epoch=1, first=1, last=2)
    scan = pl.scan_parquet(segment.path).filter(pl.col("instance") == "k0500")
    assert scan.collect().height == 50
    assert segment.rows == 50_000


def test_a_few_enormous_messages_make_small_groups_of_rows(tmp_path: Path) -> None:
    """Text that packs well is small on disk and huge in memory: groups are made by what they are in memory."""
    frame = rows(*((f"k{number}", number, "0" * 200_000) for number in range(200)))
    segment = segments.write(tmp_path, frame, epoch=1, first=1, last=2)
    assert segment.content_bytes == 200 * 200_000
    assert segment.size_bytes < 1_000_000
    assert segments.plan_merge([segment] * 8) == []


# --- collecting -----------------------------------------------------------------------------


def collected(collector: Collector) -> list[tuple[Any, ...]]:
    whole = collector.take_whole()
    assert whole is not None
    return [row for frame in whole.models.values() for row in frame.rows()]


def test_frames_become_rows_whatever_devices_sent() -> None:
    """What is no text is shown as far as it can be, and holds up nothing."""
    collector = Collector("anna", TELEMETRY, Place(epoch=1))
    collector.add("Boiler", 1, encode_items(1.5, {3: [Item("k1", b'{"t":1}'), Item("k1", b"\xff\x00")]}))
    collector.add("Boiler", 2, b"rubbish")
    collector.add("Boiler", 3, encode_frame(2.0, version=2))
    collector.add("Boiler", 4, encode_items(float("nan"), {3: [Item("k1", b"{}")]}))
    collector.add("Boiler", 5, encode_items(1e300, {3: [Item("k1", b"{}")]}))
    assert collected(collector) == [("k1", 1_500_000, '{"t":1}'), ("k1", 1_500_000, "\ufffd\0")]
    assert collector.place.position == 5


@pytest.mark.parametrize("name", ["../x", "/etc", "a b", "", "x" * 65])
def test_what_is_no_name_of_a_model_makes_no_folder(name: str) -> None:
    """A worker is the owner's own program, and may write to any subject of its account."""
    collector = Collector("anna", TELEMETRY, Place(epoch=1))
    collector.add(name, 1, encode_items(1.0, {0: [Item("k1", b"{}")]}))
    whole = collector.take_whole()
    assert whole is not None
    assert whole.models == {}
    assert whole.place.position == 1


def test_what_twins_send_each_other_twice_is_kept_once_even_across_batches() -> None:
    """After a crash a worker sends again what it may have sent."""
    group = Group((Item("k1", b"1"), Item("k1", b"2")), "Mill.3", (7, 9))
    collector = Collector("anna", TELEMETRY, Place(epoch=1))
    collector.add("Boiler", 1, encode_frame(1.0, [(0, group)]))
    collector.add("Boiler", 2, encode_frame(2.0, [(0, group)]))
    assert len(collected(collector)) == 2
    later = Collector("anna", TELEMETRY, collector.place)
    later.add("Boiler", 3, encode_frame(3.0, [(0, group)]))
    later.add("Boiler", 4, encode_frame(3.0, [(0, Group((Item("k1", b"3"),), "Mill.3", (10,)))]))
    assert [row[2] for row in collected(later)] == ["3"]


def test_what_workers_call_their_sources_does_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it is in memory and on disk with each batch; an owner's program may name a new one in each message."""
    monkeypatch.setattr(collecting, "MOST_HEARD", 5)
    collector = Collector("anna", TELEMETRY, Place(epoch=1))
    for number in range(20):
        group = Group((Item("k1", b"1"),), f"{number}" * 1000, (1,))
        collector.add("Boiler", number + 1, encode_frame(1.0, [(0, group), (0, Group((), f"none {number}", (1,)))]))
    assert len(collector.place.heard) == 5
    assert max(map(len, collector.place.heard)) < 200
    group = Group((Item("k1", b"1"),), "19" * 1000, (1,))
    collector.add("Boiler", 21, encode_frame(1.0, [(0, group)]))
    assert len(collected(collector)) == 20


def test_states_become_json() -> None:
    """Whoever opens the files, or plots them, finds one form."""
    state = msgspec.Raw(msgspec.msgpack.encode({"t": 1.5, "on": True}))
    collector = Collector("anna", HistoryKind.STATES, Place(epoch=1))
    collector.add("Boiler", 1, msgspec.msgpack.encode((0, 2.0, [("k1", state)])))
    collector.add("Boiler", 2, msgspec.msgpack.encode((0, 2.0, [("k1", msgspec.Raw(b"\xc1"))])))
    assert collected(collector) == [("k1", 2_000_000, '{"t":1.5,"on":true}')]


# --- plots ----------------------------------------------------------------------------------


def telemetry(values: list[str]) -> pl.DataFrame:
    return pl.DataFrame({"time_us": [n * 1_000_000 for n in range(len(values))], "content": values}, schema=READ_SCHEMA)


def test_many_rows_become_few_points_that_keep_the_extremes() -> None:
    """A spike of one second must be seen in a plot of a month."""
    values = [f'{{"t":{1000 if n == 777 else 20}}}' for n in range(10_000)]
    made = plot(telemetry(values), ["t"], 100)
    assert len(made.times) <= 100
    assert max(one or 0 for one in made.high["t"]) == 1000
    assert min(one or 0 for one in made.low["t"]) == 20
    assert made.rows == 10_000


def test_what_is_no_number_is_a_gap() -> None:
    """A text, a missing field or no JSON at all must not end the plot."""
    made = plot(
        telemetry(['{"a":{"b":1}}', '{"a":{"b":true}}', '{"a":{"b":"x"}}', "no json", "{}", '{"a":{"b":1e400}}']),
        ["a.b"],
        100,
    )
    assert made.fields["a.b"] == [1.0, 1.0, None, None, None, None]


def test_fields_are_guessed_from_the_last_row() -> None:
    """The page can plot something before anybody has chosen."""
    assert guess_fields(telemetry(['{"t":1,"name":"x","place":{"lon":2.5},"l":[1],"a b":1}'])) == ["t", "place.lon"]
    assert guess_fields(telemetry(["no json"])) == []
    assert plot(telemetry([]), ["t"], 10).times == []


@pytest.mark.parametrize("name", ["a b", "$", "a..b", "a[0]", "a'", ".a", "a.b.c.d.e.f.g.h.i"])
def test_paths_of_fields_are_read_strictly(name: str) -> None:
    """They become a part of an expression."""
    with pytest.raises(HistoryRefused):
        check_fields([name])


# --- other stores ---------------------------------------------------------------------------


def test_line_protocol_holds_hostile_names_and_repeated_times() -> None:
    """A device named with commas and line breaks must not write another series."""
    frame = rows(
        ("k 1,x=y\nBoiler,twin_owner=eve t=9", 1, '{"t":1,"on":true,"kind":"A\\"B\\nC","p":{"x":2},"time":3,"l":[1]}'),
        ("k 1,x=y\nBoiler,twin_owner=eve t=9", 1, "no json"),
        ("k\\", 1, "{}"),
    )
    text = lines(batch(1, 2, frame), "Boiler", frame).decode()
    first, second = text.split("\n")
    assert first == (
        r"Boiler,twin_instance=k\ 1\,x\=y?Boiler\,twin_owner\=eve\ t\=9,twin_kind=telemetry,twin_owner=anna "
        r't=1.0,on=true,kind="A\"B C",p.x=2.0,time_=3.0 1000000000'
    )
    assert second.endswith('_raw="no json" 1000000001')
    assert nest({"p.x": 2.0, "t": 1.0}) == {"p": {"x": 2.0}, "t": 1.0}


@pytest.mark.parametrize(
    ("content", "fits"), [('{"a": 1}', '{"a":1}'), ('{"a":"\\u0000"}', None), ("no", None), ('{"a":1e400}', None)]
)
def test_postgresql_gets_only_json_that_it_takes(content: str, fits: str | None) -> None:
    """One message with a zero character must not stop everybody's history."""
    assert fits_postgres(content) in ({fits} if fits else {None, '{"a":null}'})
