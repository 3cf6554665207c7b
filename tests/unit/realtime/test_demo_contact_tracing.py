"""Contact tracing: everybody whom the infection may have reached is told, once, and nobody else."""

from collections import deque
from itertools import pairwise
from pathlib import Path
from time import process_time

import pytest

from realtime import Mock
from realtime.simulate import Fleet, load_file, simulations_of

DEMO = Path(__file__).parents[3] / "examples" / "realtime" / "contact_tracing"
MODEL = load_file(DEMO / "model.py")
SIMULATOR = load_file(DEMO / "simulator.py")
(WORKER,) = simulations_of(DEMO / "simulator.py")
DAY_S = 86_400.0


def chain(*pairs: str) -> Mock:
    """Have people meet: "ab" is a that met b."""
    mock = Mock(MODEL.Person)
    for one, other in pairs:
        mock.send(one, MODEL.Contact(other=other))
    return mock


def signalled(mock: Mock) -> dict[str, int]:
    """Give who was told, and how many steps away they are."""
    return {name: min(state.cases.values()) for name, state in mock.states().items() if state.alerts}


def test_a_contact_links_both() -> None:
    """Whoever reports it, both have met."""
    mock = chain("ab")
    assert [*mock.state("a").contacts] == ["b"]
    assert [*mock.state("b").contacts] == ["a"]


def test_a_positive_test_tells_contacts_of_contacts_up_to_the_bound() -> None:
    """Three steps; the fourth would be half the company."""
    mock = chain("ab", "bc", "cd", "de", "ef")
    mock.send("a", MODEL.Tested(positive=True))
    assert signalled(mock) == {"b": 1, "c": 2, "d": 3}
    assert [alert.key for alert in mock.alerts("b")] == ["contact"]
    assert mock.replies("b") == [{"advice": "stay at home and have a test", "hops": 1}]
    assert mock.replies("c") == [{"advice": "have a test", "hops": 2}]
    assert mock.state("a").health == "positive"


def test_a_circle_of_contacts_ends_and_tells_each_once() -> None:
    """Without an end one test would keep the platform busy for ever."""
    people = "abcdefgh"
    mock = chain(*(one + other for one in people for other in people if one != other))
    mock.send("a", MODEL.Tested(positive=True))
    assert signalled(mock) == dict.fromkeys("bcdefgh", 1)
    assert all(state.alerts == 1 for name, state in mock.states().items() if name != "a")
    mock.send("a", MODEL.Tested(positive=True))
    assert all(state.alerts == 1 for name, state in mock.states().items() if name != "a")


def test_a_signal_by_a_shorter_way_reaches_those_behind() -> None:
    """Messages of a cluster do not come in the order of steps."""
    mock = chain("xy", "yz")
    mock.send("x", MODEL.Signal(case="c", hops=3, by="q"))
    assert signalled(mock) == {"x": 3}
    mock.send("x", MODEL.Signal(case="c", hops=1, by="p"))
    assert signalled(mock) == {"x": 1, "y": 2, "z": 3}
    assert mock.state("x").alerts == 1


def test_contacts_of_long_ago_do_not_count() -> None:
    """Fourteen days, and a second meeting begins them anew."""
    mock = chain("ab", "ac")
    mock.send("a", MODEL.Contact(other="c"), at_s=5 * DAY_S)
    mock.send("a", MODEL.Tested(positive=True), at_s=14 * DAY_S + 1)
    assert signalled(mock) == {"c": 1}


def test_a_negative_test_clears() -> None:
    """People go back to work."""
    mock = chain("ab")
    mock.send("a", MODEL.Tested(positive=True))
    mock.send("b", MODEL.Tested(positive=False))
    assert mock.state("b").health == "clear"


def test_what_is_kept_of_contacts_and_cases_is_bounded() -> None:
    """Somebody who meets thousands must not fill the memory."""
    mock = chain(*(("a", f"p{number}") for number in range(150)))
    assert len(mock.state("a").contacts) == MODEL.MOST_CONTACTS
    assert "p149" in mock.state("a").contacts
    for number in range(50):
        mock.send("a", MODEL.Signal(case=f"c{number}", hops=3, by="b"))
    assert len(mock.state("a").cases) == MODEL.MOST_CASES


@pytest.mark.parametrize("people", [20, 56, 75, 100, 30_000])
def test_groups_have_20_to_55_people(people: int) -> None:
    """As the original has them."""
    begins = SIMULATOR.groups(people)
    sizes = [end - begin for begin, end in pairwise(begins)]
    assert sum(sizes) == people
    assert all(20 <= size <= 55 for size in sizes)


def test_in_30000_people_a_test_tells_exactly_those_within_the_bound_and_within_seconds() -> None:
    """Checked against a search through the same network that knows nothing of twins."""
    fleet = Fleet(WORKER, 30_000, seed=3, parameters={"positive_per_day": 0.0}, tick_s=300)
    mock = Mock(MODEL.Person)
    while (at_s := fleet.next_s()) is not None and at_s <= 2 * 3600:
        batch = fleet.take()
        mock.send_all(batch.items, at_s=batch.time_s)
    states = mock.states()
    assert len(states) == 30_000
    assert len({state.department for state in states.values()}) == 5
    assert len({state.place for state in states.values()}) == 8
    distances, waiting = {"person-0": 0}, deque(["person-0"])
    while waiting:
        name = waiting.popleft()
        if distances[name] < MODEL.MOST_HOPS:
            for other in states[name].contacts:
                if other not in distances:
                    distances[other] = distances[name] + 1
                    waiting.append(other)
    begun_s = process_time()
    mock.send("person-0", MODEL.Tested(positive=True))
    assert process_time() - begun_s < 5
    assert signalled(mock) == {name: hops for name, hops in distances.items() if hops}
    assert len(distances) > 20
    assert len(mock.alerts()) == len(distances)
