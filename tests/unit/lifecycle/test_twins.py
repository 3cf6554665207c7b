"""Twins on disk: found by their folder, never outside it."""

import pytest

from lifecycle.descriptor import LARGEST_DESCRIPTOR_BYTES
from lifecycle.errors import PhaseNotRunnable, PhaseNotSupported, TwinNotFound
from lifecycle.models import Phase
from lifecycle.places import Places
from lifecycle.twins import find_program, find_twin, list_twins


def test_twins_are_listed_by_name_with_their_phases_in_order(places: Places, make_twin) -> None:
    """People look for a phase where it stands in a twin's life."""
    make_twin("b", clean="", execute="", create="")
    make_twin("a ü")
    assert [(twin.name, twin.phases) for twin in list_twins(places)] == [
        ("a ü", ()),
        ("b", (Phase.CREATE, Phase.EXECUTE, Phase.CLEAN)),
    ]


def test_british_analyse_is_the_phase_analyze(places: Places, make_twin) -> None:
    """Twins written elsewhere must run unchanged."""
    make_twin("t", analyse="")
    twin = find_twin(places, "t")
    assert twin.phases == (Phase.ANALYZE,)
    assert find_program(twin, "analyze")[1].name == "analyse"


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "/etc", "a\0b", "missing", "x" * 5000])
def test_a_name_that_is_no_twin_is_refused(places: Places, name: str) -> None:
    """Names come from the network."""
    with pytest.raises(TwinNotFound):
        find_twin(places, name)


def test_a_missing_phase_says_which_there_are(places: Places, make_twin) -> None:
    """The remedy is in the message."""
    make_twin("t", execute="")
    with pytest.raises(PhaseNotSupported, match="it has: execute"):
        find_program(find_twin(places, "t"), "save")
    with pytest.raises(PhaseNotSupported, match="not a phase"):
        find_program(find_twin(places, "t"), "../../bin/sh")


def test_a_program_without_its_executable_bit_names_chmod(places: Places, make_twin) -> None:
    """Uploads lose that bit, so everybody meets this once."""
    make_twin("t", mode=0o644, execute="")
    with pytest.raises(PhaseNotRunnable, match="chmod"):
        find_program(find_twin(places, "t"), "execute")


@pytest.mark.parametrize(
    "descriptor", ["a: [", "- list", "!!python/object/apply:os.system [id]", "x" * (LARGEST_DESCRIPTOR_BYTES + 1)]
)
def test_a_bad_descriptor_is_told_and_the_twin_still_runs(places: Places, make_twin, descriptor: str) -> None:
    """A typing slip in a description must not take a twin away."""
    make_twin("t", execute="", descriptor=descriptor)
    twin = find_twin(places, "t")
    assert "twin.yaml" in twin.description
    assert twin.phases == (Phase.EXECUTE,)


def test_title_and_description_come_from_the_descriptor(places: Places, make_twin) -> None:
    """The page shows them."""
    make_twin("t", descriptor="title: Tank\ndescription: Holds water\n")
    twin = find_twin(places, "t")
    assert (twin.title, twin.description) == ("Tank", "Holds water")


def test_a_mistake_in_the_descriptor_is_told_where_the_description_stands(places: Places, make_twin) -> None:
    """Whoever opens the page sees at once why the twin does not start."""
    make_twin("t", descriptor="title: Tank\ndescription: [not, words]\n")
    assert "twin.yaml, line 2, column 14" in find_twin(places, "t").description


def test_a_descriptor_that_was_changed_is_read_anew(places: Places, make_twin) -> None:
    """The page must not show yesterday's title."""
    folder = make_twin("t", descriptor="title: Tank\n")
    assert find_twin(places, "t").title == "Tank"
    (folder / "twin.yaml").write_text("title: Pump\n")
    assert find_twin(places, "t").title == "Pump"
