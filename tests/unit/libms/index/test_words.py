"""Names and what people type become the same words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libms.index.words import MOST_WORDS, keys, query_words, tag_key, words_of


def finds(typed: str, name: str) -> bool:
    there = words_of(name).split()
    asked = query_words(typed)
    return bool(asked) and all(any(word.startswith(part) for word in there) for part in asked)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("damper", "massSpringDamper_v2.fmu"),
        ("springdamper", "massSpringDamper_v2.fmu"),
        ("massSpr", "massSpringDamper_v2.fmu"),
        ("v2", "massSpringDamper_v2.fmu"),
        ("fmu v2", "massSpringDamper_v2.fmu"),
        ("spring2", "mass_spring2.csv"),
        ("run0001", "run000123.csv"),
        ("0001", "run000123.csv"),
        ("server", "HTTPServer"),
        ("uber", "Überströmventil"),
        ("ÜBERSTRÖM", "u\u0308berstromventil"),
        ("strasse", "Straße"),
        ("弹簧", "弹簧阻尼器"),
        ("हिन्दी", "हिन्दी नाम"),
        ("a3f9c2", "a3f9c2e1-77.bin"),
        ("x", "x" * 255),
    ],
)
def test_a_name_is_found_by_its_parts(typed: str, name: str) -> None:
    """People remember a part of a name, and not how it was spelt."""
    assert finds(typed, name)


@pytest.mark.parametrize(("typed", "name"), [("v2", "valve_2"), ("amper", "damper"), ("?!", "a?!b"), ("", "a")])
def test_what_is_not_there_is_not_found(typed: str, name: str) -> None:
    """A search that finds everything finds nothing."""
    assert not finds(typed, name)


def test_words_that_begin_others_cost_nothing_and_many_are_cut() -> None:
    """Each word costs time; a pasted page must not cost seconds."""
    assert query_words("s sp spring") == ["spring"]
    assert len(query_words(" ".join(f"word{chr(97 + i)}" for i in range(26)))) == MOST_WORDS


def test_tags_are_alike_in_any_case_and_never_alike_otherwise() -> None:
    """'FMU' and 'fmu' are one tag; 'a b' is not the tags 'a' and 'b'."""
    assert tag_key("FMU ") == tag_key("fmu")
    assert len({tag_key(tag) for tag in ("a b", "a", "b", "ab", "")}) == 5


@given(st.text(max_size=300))
def test_any_text_becomes_plain_words(text: str) -> None:
    """Nothing that is typed or written may be syntax of the search engine, or be mistaken for a key."""
    words = [*words_of(text).split(" "), *query_words(text)]
    for word in filter(None, words):
        assert all(c.isalnum() or ord(c) > 127 for c in word.removeprefix("_"))
        assert not word.startswith("__")
        word.encode()
    assert words_of(text).isprintable() or not text.isascii()


@given(st.from_regex(r"[A-Za-z0-9]{1,30}", fullmatch=True), st.integers(1, 30))
def test_a_name_is_found_while_it_is_typed(name: str, length: int) -> None:
    """Search as you type: with each letter the hit must stay."""
    assert finds(name[:length], name)


def test_owners_categories_and_tags_never_stand_for_each_other() -> None:
    """A tag named like an owner must open nothing."""
    assert len(set(keys("data", "data", ["data"]).split())) == 3
