"""Tokens for programs: one of three accesses, with an end and a note."""

import pytest

from hub.access import Access, TokenRefused, Wish, read_wish, words_for


def test_a_token_is_what_was_asked_for() -> None:
    """The usual case."""
    assert read_wish("library-read", 24, " nightly ") == Wish(Access.LIBRARY_READ, 24, "nightly")


@pytest.mark.parametrize(
    ("access", "hours", "note"),
    [
        ("inherit", 1, "x"),
        ("admin:users", 1, "x"),
        (None, 1, "x"),
        (["library-read"], 1, "x"),
        ("library-read", 0, "x"),
        ("library-read", None, "x"),
        ("library-read", 10**9, "x"),
        ("library-read", True, "x"),
        ("library-read", "1", "x"),
        ("library-read", 1, ""),
        ("library-read", 1, "x" * 201),
        ("library-read", 1, "a\nb"),
        ("library-read", 1, "Server at /user/ada/"),
    ],
)
def test_a_token_without_measure_is_refused(access: object, hours: object, note: object) -> None:
    """Nothing for ever, nothing beyond the choices, nothing that hides as a server's own."""
    with pytest.raises(TokenRefused):
        read_wish(access, hours, note)


def test_every_token_is_put_into_words() -> None:
    """Also those that were made by other ways."""
    assert words_for(["custom:library:read"]) == "Read the library"
    assert "administration" in words_for(["inherit"])
    assert words_for(["list:users"]) == "list:users"
    assert words_for([]) == "Say who you are, and nothing else"
