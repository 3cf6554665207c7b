"""The contract of libms.backend for every backend: many at the same time."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from libms.errors import AssetNotFound, Changed, Exists
from libms.paths import parse_path
from tests.integration.backends.worlds import World

PEOPLE = 8


def at_once(act: Callable[[int], object]) -> list[object]:
    """Let eight people act at the same moment; give what came of it, a refusal as itself."""
    ready = threading.Barrier(PEOPLE)

    def one(number: int) -> object:
        ready.wait(30)
        try:
            return act(number)
        except (AssetNotFound, Changed, Exists) as refusal:
            return refusal

    with ThreadPoolExecutor(PEOPLE) as people:
        return list(people.map(one, range(PEOPLE)))


def won(outcomes: list[object]) -> int:
    return sum(not isinstance(outcome, Exception) for outcome in outcomes)


def test_eight_uploads_at_once_all_arrive(world: World) -> None:
    """A class of students hands in at the same minute."""
    outcomes = at_once(lambda number: world.place(f"common/data/group/{number}", b"%d" % number, by=f"user{number}"))

    assert won(outcomes) == PEOPLE
    assert world.names("common/data/group") == [str(number) for number in range(PEOPLE)]
    assert all(world.read(f"common/data/group/{number}") == b"%d" % number for number in range(PEOPLE))


def test_of_eight_who_edit_the_same_text_one_wins_and_the_others_learn_it(world: World) -> None:
    """Seven people's work would otherwise vanish without a word."""
    world.place("common/data/text", b"first")
    path, etag = parse_path("common/data/text"), world.etag("common/data/text")
    asides = [world.aside(b"by %d" % number) for number in range(PEOPLE)]

    outcomes = at_once(
        lambda number: world.backend.place(asides[number], path, f"user{number}", if_match=etag) or number
    )

    assert won(outcomes) == 1
    assert sum(isinstance(outcome, Changed) for outcome in outcomes) == PEOPLE - 1
    [winner] = [outcome for outcome in outcomes if isinstance(outcome, int)]
    assert world.read("common/data/text") == b"by %d" % winner
    assert [aside.exists() for aside in asides] == [number != winner for number in range(PEOPLE)]


def test_of_eight_who_take_the_same_new_name_one_gets_it(world: World) -> None:
    """Files, folders and moves all count as taking a name."""
    for number in range(PEOPLE):
        world.place(f"alice/models/{number}")
    target = parse_path("alice/data/name")

    def take(number: int) -> object:
        if number % 3 == 0:
            return world.backend.make_folder(target, "alice")
        if number % 3 == 1:
            return world.backend.move(parse_path(f"alice/models/{number}"), target, "alice")
        return world.backend.place(world.aside(), target, "alice")

    outcomes = at_once(take)

    assert won(outcomes) == 1
    assert world.names("alice/data") == ["name"]
    assert len(world.names("alice/models")) >= PEOPLE - 1


def test_of_eight_who_delete_the_same_thing_one_does(world: World) -> None:
    """The trash holds it once, and it comes back once."""
    world.place("alice/data/a", b"content")

    outcomes = at_once(lambda number: world.backend.delete(parse_path("alice/data/a"), f"user{number}"))

    assert won(outcomes) == 1
    [trashed] = world.backend.trash("alice")
    assert won(at_once(lambda number: _restore(world, trashed.id))) == 1
    assert world.read("alice/data/a") == b"content"


def _restore(world: World, trash_id: str) -> object:
    try:
        return world.backend.restore(trash_id, "alice")
    except Exception as error:
        return error


def test_a_folder_is_never_seen_half_placed(world: World) -> None:
    """A twin that starts while it is being published must be whole or not there."""
    files = {f"{number:02}/{number}": b"x" for number in range(30)}
    aside, placed = world.aside_folder(files), threading.Event()
    seen: set[int] = set()

    def look() -> None:
        while not placed.is_set():
            try:
                seen.add(len(world.walked("alice/models/m")))
            except AssetNotFound:
                seen.add(-1)

    looking = threading.Thread(target=look)
    looking.start()
    world.backend.place(aside, parse_path("alice/models/m"), "alice")
    placed.set()
    looking.join()

    assert seen <= {-1, 60}
    assert len(world.walked("alice/models/m")) == 60


def test_reading_goes_on_while_others_write(world: World) -> None:
    """Every read sees one whole version, old or new."""
    world.place("alice/data/a", b"0" * 5000)
    path, written = parse_path("alice/data/a"), threading.Event()
    torn: list[bytes] = []

    def look() -> None:
        while not written.is_set():
            content = world.read("alice/data/a")
            if len(set(content)) != 1 or len(content) != 5000:
                torn.append(content)

    readers = [threading.Thread(target=look) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(1, 6):
        world.backend.place(world.aside(b"%d" % number * 5000), path, "alice", replace=True)
    written.set()
    for reader in readers:
        reader.join()

    assert torn == []
    assert world.read("alice/data/a") == b"5" * 5000
