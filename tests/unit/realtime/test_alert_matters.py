"""Alerts become matters: nothing lost, nothing counted twice, and people have their say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from realtime.outputs import Alert, Event, Severity
from realtime.service.alerts import book as book_module
from realtime.service.alerts import outbox, things
from realtime.service.alerts.book import EVENTS_KEPT, Book
from realtime.service.alerts.errors import AlertMissing, AlertRefused
from realtime.service.alerts.matters import Filter, trim
from realtime.service.alerts.models import Delivery, DeliveryKind, MatterState, Rule, Silence
from realtime.wire import Out


class Clock:
    """A time that only the test moves."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(tmp_path: Path, clock: Clock) -> Any:
    made = Book("anna", tmp_path / "alerts" / "anna.sqlite", now=clock)
    yield made
    made.close()


def alert(position: int, *, instance: str = "k1", key: str = "hot", **more: Any) -> Alert:
    given = {
        "severity": Severity.WARNING,
        "text": "It is hot.",
        "details": b'{"t":101}',
        "time_s": float(position),
        **more,
    }
    return Alert(output_id=f"{position}.0.1", model="Boiler", instance=instance, key=key, **given)


def outs(*alerts: Alert, partition: int = 0) -> list[Out]:
    return [Out(partition, int(one.time_s), [one]) for one in alerts]


def live(book: Book, **wanted: Any) -> list[Any]:
    return book.find(Filter(**{"state": "live", **wanted}))[0]


def test_all_parts_of_one_frame_are_taken_once(book: Book, tmp_path: Path) -> None:
    """A storm is more than one message of the broker holds; its second half must be seen, too."""
    parts = [Out(0, 7, [alert(7, key=f"k{part}")], part) for part in range(3)]
    book.take("Boiler", parts[:2])
    book.take("Boiler", parts)
    again = Book("anna", tmp_path / "alerts" / "anna.sqlite")
    again.take("Boiler", parts)
    again.close()

    assert {one.key: one.count for one in live(book)} == {"k0": 1, "k1": 1, "k2": 1}


def test_alerts_of_one_key_are_one_matter(book: Book) -> None:
    """A device that reports every second must not fill the list."""
    book.take("Boiler", outs(alert(1), alert(2, text="Hotter."), alert(3, key="slow")))
    hot = next(one for one in live(book) if one.key == "hot")
    assert (hot.count, hot.first_s, hot.last_s, hot.text, hot.details) == (2, 1.0, 2.0, "Hotter.", {"t": 101})
    assert len(live(book)) == 2


def test_what_comes_again_after_a_crash_counts_once(book: Book) -> None:
    """Workers publish again what they may have published; nobody should be called twice for it."""
    book.take("Boiler", outs(alert(1), alert(2)))
    assert book.take("Boiler", outs(alert(1), alert(2))) == []
    book.take("Boiler", outs(alert(2), alert(3)))
    assert live(book)[0].count == 3


def test_partitions_and_models_have_places_of_their_own(book: Book) -> None:
    """The same position in another partition is another frame's part, and must not be dropped."""
    book.take("Boiler", outs(alert(5)))
    book.take("Boiler", outs(alert(5, instance="k2"), partition=1))
    book.take("Kettle", outs(alert(5, instance="k3")))
    assert {one.instance for one in live(book)} == {"k1", "k2", "k3"}


def test_the_place_is_kept_with_the_alert(book: Book, tmp_path: Path) -> None:
    """After a restart the distributor asks where to go on."""
    book.take("Boiler", outs(alert(1)), 17)
    book.take("Boiler", [], 16)
    again = Book("anna", tmp_path / "alerts" / "anna.sqlite")
    assert again.last_position() == 17
    assert again.take("Boiler", outs(alert(1))) == []
    again.close()


def test_a_transaction_that_fails_leaves_neither_alert_nor_place(book: Book) -> None:
    """Half of a message would be lost with the place kept, or doubled without."""
    broken = Out(
        0, 2, [alert(2), Event(output_id="x", model="Boiler", instance="k1", time_s=2.0, text=None, details=b"{}")]
    )  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        book.take("Boiler", [broken], 9)
    assert live(book) == []
    assert book.last_position() == 0
    book.take("Boiler", outs(alert(2)), 9)
    assert len(live(book)) == 1


def test_acknowledging_keeps_who_and_a_worse_alert_opens_it_again(book: Book, clock: Clock) -> None:
    """Somebody who knows of a warning does not know of a critical one."""
    book.take("Boiler", outs(alert(1)))
    number = live(book)[0].id
    (_, matter), *_ = book.decide([number], MatterState.ACKNOWLEDGED, by="bert", note="On my way.")
    assert (matter.by, matter.note, matter.at_s) == ("bert", "On my way.", 1000.0)
    book.take("Boiler", outs(alert(2)))
    assert live(book)[0].state is MatterState.ACKNOWLEDGED
    changes = book.take("Boiler", outs(alert(3, severity=Severity.CRITICAL), alert(4)))
    assert live(book)[0].state is MatterState.OPEN
    assert live(book)[0].severity is Severity.CRITICAL
    assert [what for what, _ in changes] == ["again"]


def test_a_resolved_matter_is_history_and_the_next_alert_begins_another(book: Book) -> None:
    """Otherwise a new incident would hide in an old one."""
    book.take("Boiler", outs(alert(1)))
    number = live(book)[0].id
    book.decide([number], MatterState.RESOLVED, by="bert")
    with pytest.raises(AlertRefused, match="is resolved"):
        book.decide([number], MatterState.ACKNOWLEDGED, by="bert")
    book.take("Boiler", outs(alert(2)))
    assert live(book)[0].id != number
    assert book.find(Filter(state=""))[1] == 2


def test_many_are_acknowledged_together_or_not_at_all(book: Book) -> None:
    """A number that is wrong must not leave half of them done."""
    book.take("Boiler", outs(alert(1), alert(2, key="b")))
    numbers = [one.id for one in live(book)]
    with pytest.raises(AlertMissing, match="999"):
        book.decide([*numbers, 999], MatterState.ACKNOWLEDGED, by="bert")
    assert {one.state for one in live(book)} == {MatterState.OPEN}
    book.decide(numbers, MatterState.ACKNOWLEDGED, by="bert")
    assert {one.state for one in live(book)} == {MatterState.ACKNOWLEDGED}


def test_lists_are_filtered_and_counted(book: Book) -> None:
    """A page with a thousand alerts shows what was asked for, and how many there are."""
    book.take("Boiler", outs(*(alert(n, key=f"k{n}") for n in range(1, 6)), alert(6, severity=Severity.CRITICAL)))
    found, total, counts = book.find(Filter(state="live", severity=Severity.CRITICAL))
    assert (len(found), total, counts) == (1, 1, {"note": 0, "warning": 5, "critical": 1, "open": 6})
    found, total, _ = book.find(Filter(offset=2, limit=2))
    assert (len(found), total) == (2, 6)


def test_old_matters_go_resolved_ones_first(book: Book) -> None:
    """A bounded list keeps what still matters."""
    book.take("Boiler", outs(*(alert(n, key=f"k{n}") for n in range(1, 6))))
    book.decide([live(book)[0].id], MatterState.RESOLVED, by="bert")
    with book.database.transaction() as connection:
        assert trim(connection, most=3) == 2
    assert {one.key for one in book.find(Filter(state=""))[0]} == {"k2", "k3", "k4"}


def test_the_last_events_of_an_instance_are_kept(book: Book) -> None:
    """A talkative device fills its own log only, and the page shows the newest."""

    def event(position: int, instance: str) -> Out:
        one = Event(
            output_id="", model="Boiler", instance=instance, time_s=float(position), text=f"e{position}", details=b"{}"
        )
        return Out(0, position, [one])

    book.take("Boiler", [event(0, "quiet")])
    for start in range(1, 401, 50):
        book.take("Boiler", [event(position, "loud") for position in range(start, start + 50)])
    found = book.events("Boiler", "loud", 1000)
    assert len(found) == EVENTS_KEPT
    assert found[0] == {"time_s": 400.0, "text": "e400", "details": {}}
    assert len(book.events("Boiler", "quiet")) == 1


def test_a_flood_of_events_is_cut_at_once(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the ten minutes between two tidyings a worker could fill the disk that everybody shares."""

    def events(position: int, *names: str) -> Out:
        return Out(
            0,
            position,
            [
                Event(output_id="", model="Boiler", instance=name, time_s=1.0, text=name, details=b"{}")
                for name in names
            ],
        )

    monkeypatch.setattr(book_module, "MOST_EVENTS", 50)
    for position in range(4):
        book.take("Boiler", [events(position, *(f"i{position}-{n}" for n in range(30)))])
    assert [len(book.events("Boiler", name)) for name in ("i0-0", "i2-9", "i2-10", "i3-29")] == [0, 0, 1, 1]
    monkeypatch.setattr(book_module, "MOST_BYTES", 0)
    book.take("Boiler", [events(9, "last", "x" * 201)])
    assert [len(book.events("Boiler", name)) for name in ("i2-10", "last", "x" * 200)] == [0, 1, 0]


def test_hostile_sizes_and_times_are_cut(book: Book) -> None:
    """A worker is the owner's own program: what it writes must not break the list for ever."""
    nasty = [
        alert(1, key="k" * 10_000, text="t" * 100_000, details=b'"' + b"x" * 100_000 + b'"'),
        alert(2, key="nan", details=b"\xff{"),
    ]
    broken = [Out(0, number, [one]) for number, one in enumerate(nasty, 1)]
    broken.append(
        Out(
            0,
            3,
            [
                Alert(
                    output_id="",
                    model="Boiler",
                    instance="i",
                    time_s=float("nan"),
                    key="n",
                    severity=Severity.NOTE,
                    text="",
                    details=b"{}",
                )
            ],
        )
    )
    book.take("Boiler", broken)
    found = {one.key[:3]: one for one in live(book)}
    assert len(found["kkk"].key) == 200
    assert len(found["kkk"].text) == 2000
    assert found["kkk"].details == {"left_out": "100002 bytes"}
    assert found["nan"].details == {}
    assert found["n"].last_s == 0.0


def test_an_erased_model_leaves_nothing_and_begins_anew(book: Book) -> None:
    """One of the same name that comes later must not be taken for a repeat."""
    put(book, Rule(id="r1", name="hot", model="Boiler", where="t > 1", key="hot", text="x"))
    book.take("Boiler", outs(alert(5)))
    book.take("Kettle", outs(alert(5, instance="k2")))
    book.erase_model("Boiler")
    assert [one.instance for one in live(book)] == []
    with book.database.reading() as connection:
        assert things.every(connection, Rule) == []
    book.take("Boiler", outs(alert(1)))
    assert len(live(book)) == 1


# --- silences and the outbox ----------------------------------------------------------------


def delivery(**more: Any) -> Delivery:
    return Delivery(**{"id": "d1", "name": "desk", "kind": DeliveryKind.WEBHOOK, "url": "https://example.org", **more})


def put(book: Book, *given: Any) -> None:
    with book.database.transaction() as connection:
        for one in given:
            things.put(connection, one, b"s")


def waiting(book: Book, now_s: float = 1e12) -> list[Any]:
    with book.database.reading() as connection:
        return [row for rows in outbox.due(connection, "anna", now_s).values() for row in rows]


def test_a_silenced_alert_is_kept_and_not_delivered_until_the_silence_ends(book: Book, clock: Clock) -> None:
    """Maintenance of one boiler must not wake anybody, nor hide the others."""
    put(book, delivery(), Silence(id="s1", until_s=1100.0, reason="maintenance", by="anna", instance="k?", key="ho*"))
    book.take("Boiler", outs(alert(1), alert(2, instance="k12"), alert(3, key="slow")))
    assert {(one.notice.matter.instance, one.notice.matter.key) for one in waiting(book)} == {
        ("k12", "hot"),
        ("k1", "slow"),
    }
    assert next(one for one in live(book) if one.instance == "k1" and one.key == "hot").silenced
    clock.now_s = 1100.0
    book.take("Boiler", outs(alert(4, instance="k2")))
    assert len(waiting(book)) == 3


def test_a_bracket_in_an_id_is_only_a_bracket() -> None:
    """Ids of devices are not patterns of somebody else's making."""
    assert things.matches("a[1]*", "a[1]x")
    assert not things.matches("a[1]*", "a1x")


def test_deliveries_choose_by_severity_and_model_and_say_when_a_matter_ends(book: Book) -> None:
    """The pager gets what is critical, the channel gets all."""
    put(
        book,
        delivery(id="pager", severity=Severity.CRITICAL),
        delivery(id="channel", resolved=True),
        delivery(id="other", model="Kettle*"),
        delivery(id="off", enabled=False),
    )
    book.take("Boiler", outs(alert(1), alert(2), alert(3, severity=Severity.CRITICAL)))
    book.decide([live(book)[0].id], MatterState.RESOLVED, by="bert")
    assert {(one.delivery, one.notice.what) for one in waiting(book)} == {
        ("pager", "worse"),
        ("channel", "raised"),
        ("channel", "worse"),
        ("channel", "resolved"),
    }


def test_what_is_removed_can_be_brought_back(book: Book) -> None:
    """A slip of the hand must not cost a delivery and its secret."""
    put(book, delivery())
    with book.database.transaction() as connection:
        things.remove(connection, Delivery, "d1", 1000.0)
        assert things.every(connection, Delivery) == []
        with pytest.raises(AlertMissing, match="d1"):
            things.get(connection, Delivery, "d1")
        things.restore(connection, Delivery, "d1")
        assert things.secret_of(connection, "d1") == b"s"
        things.remove(connection, Delivery, "d1", 1000.0)
        things.purge(connection, 1000.0 + things.UNDO_S + 1)
        with pytest.raises(AlertMissing):
            things.restore(connection, Delivery, "d1")


def test_the_outbox_is_bounded_and_says_so(book: Book) -> None:
    """A receiver that is away for a day must not fill the disk."""
    put(book, delivery())
    for start in range(0, outbox.MOST_WAITING + 500, 500):
        book.take("Boiler", outs(*(alert(n, key=f"k{n}") for n in range(start + 1, start + 501))))
    with book.database.reading() as connection:
        shown = outbox.with_results(connection, things.every(connection, Delivery))[0]
    assert shown.waiting == outbox.MOST_WAITING
    assert "left out" in shown.result
