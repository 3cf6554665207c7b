"""Cards: strangers write them, so nothing in them may fail, run or grow."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libms.descriptions.card import MOST_TAGS, Card, CardPort, read_card

WHOLE = """\
title: Spring
description: A linear spring.
license: CC-BY-4.0
tags: [Mechanics, " spring ", mechanics, 2024-01-01]
inputs:
  - name: x
    unit: m
    type: Real
    description: Elongation
outputs:
  force: {unit: N}
  energy: Stored energy
"""


def test_a_whole_card_is_read() -> None:
    """People describe an asset once and see it everywhere; American spelling counts too."""
    card = read_card(None, WHOLE)
    assert card == Card(
        title="Spring",
        description="A linear spring.",
        licence="CC-BY-4.0",
        tags=("mechanics", "spring", "2024-01-01"),
        inputs=(CardPort("x", "m", "Real", "Elongation"),),
        outputs=(CardPort("force", "N"), CardPort("energy", description="Stored energy")),
        source="asset.yaml",
    )


def test_front_matter_is_a_card_too() -> None:
    """Many repositories have it already."""
    card = read_card("\ufeff---\ntitle: Beam\ntags: A, b ,a,\n---\n# Other\n\nA bending beam.\n", None)
    assert (card.title, card.tags, card.source) == ("Beam", ("a", "b"), "README.md")
    assert card.description == "A bending beam."


def test_asset_yaml_counts_before_front_matter_and_that_before_the_text() -> None:
    """An author who wrote both must know which one is shown."""
    card = read_card("---\ntitle: two\nlicence: MIT\n---\n# three\n\nwords\n", "title: one")
    assert (card.title, card.licence, card.description) == ("one", "MIT", "words")
    assert card.source == "asset.yaml"


def test_an_asset_without_files_has_an_empty_card() -> None:
    """Most assets have neither."""
    assert read_card(None, None) == Card()


@pytest.mark.parametrize(
    ("readme", "title", "description"),
    [
        ("# A *bold* `name` #\n\nSee [the docs](http://x) &amp; more.", "A bold name", "See the docs & more."),
        ("Title\n=====\n\n![badge](b.svg)\n\n- list\n\nFirst\nparagraph.", "Title", "First paragraph."),
        ("<!-- # no\n\nnot this -->\n```\n# code\n```\n## Yes\n", "Yes", None),
        ("***\n\n> quote\n\n| a | b |\n|---|---|\n\n<b>Plain</b> words", None, "Plain words"),
        ("snake_case_name stays, 2 * 3 * 4 too", None, "snake_case_name stays, 2 * 3 * 4 too"),
        ("x" * 1000, None, "x" * 299 + "…"),
        ("---\nno end of this\n\nwords", None, "no end of this"),
        ("", None, None),
    ],
)
def test_a_readme_gives_title_and_description(readme: str, title: str | None, description: str | None) -> None:
    """Nobody should have to write a card for the list to say something."""
    card = read_card(readme, None)
    assert (card.title, card.description) == (title, description)


def test_a_wrong_line_is_named_and_the_rest_is_read() -> None:
    """A slip at the end must not take the title away."""
    card = read_card(
        None, "title: Spring\ninputs: 3\ntitle: Damper\ntags: {a: 1}\noutputs: [1, [2]]\nlicence: [unclosed\n"
    )
    assert card.title == "Damper"
    assert [port.name for port in card.outputs] == ["1"]
    for words in ("line 3: 'title' stands twice", "line 2: 'inputs' must be", "line 4: 'tags'", "line 5: an entry"):
        assert any(words in problem for problem in card.problems), (words, card.problems)
    assert any("line 7" in problem for problem in card.problems)


def test_lines_of_front_matter_are_counted_from_the_top_of_the_readme() -> None:
    """The number is for an editor."""
    card = read_card("---\ntitle: a\nlicence: [b]\n---\n", None)
    assert card.problems == ("README.md line 3: 'licence' must be text.",)


@pytest.mark.parametrize(
    "hostile",
    [
        "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [{'*a, ' * 9}]\n" for n in range(20)),
        "[" * 60_000,
        "- " * 30_000,
        "{a: " * 15_000,
        "? [a]\n: b",
        "!!python/object/apply:os.system [id]",
        "title: !!python/name:os.system",
        "title: \ud800",
        "title: \0",
        "title: 'open",
        "- a\n- b",
        "just words",
        "\t",
        "x: 1\n" * 40_000,
    ],
    ids=range(14),
)
def test_a_hostile_card_is_told_and_harmless(hostile: str) -> None:
    """One user's file must not stop the index for everybody."""
    card = read_card(f"---\n{hostile}\n---\n", hostile)
    assert card.problems
    assert len(card.problems) <= 20


def test_values_are_shown_as_they_were_written() -> None:
    """1.10 is a version, not a number, and a million digits are no reason to fail."""
    card = read_card(None, f"title: 1.10\ndescription: {'9' * 5000}\nlicence: null\ntags: [{'9' * 5000}, on, ~]\n")
    assert card.title == "1.10"
    assert card.description == "9" * 1999 + "…"
    assert card.licence is None
    assert [len(tag) for tag in card.tags] == [64, 2]


def test_lists_are_bounded() -> None:
    """A page has to show them."""
    many = ", ".join(f"t{n}" for n in range(2000))
    card = read_card(None, f"tags: [{many}]\ninputs: [{many}]\n")
    assert (len(card.tags), len(card.inputs), len(card.problems)) == (MOST_TAGS, 1000, 2)


def test_controls_and_backward_text_do_not_get_out() -> None:
    """Names that lie about themselves, and JSON that no client can read."""
    card = read_card(None, 'title: "a\\u202Egpj.exe\\e[31m"\n')
    assert card.title == "agpj.exe[31m"


@settings(max_examples=300, deadline=1000)
@given(st.text() | st.text(alphabet="a:-[]{}'\"!&*#?|>%@` \n\t,~0<"), st.none() | st.text())
def test_no_text_makes_reading_a_card_fail(first: str, second: str | None) -> None:
    """Whatever is uploaded, the folder can be listed."""
    card = read_card(first, second)
    again = read_card(f"---\n{first}\n---\n{second}", first)
    for text in (card.title, card.description, again.title, again.description):
        assert text is None or text.encode("utf-8")
