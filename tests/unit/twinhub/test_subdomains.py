"""Each person has a host of their own, whatever their name."""

import re

from hypothesis import given
from hypothesis import strategies as st

from twinhub.names import USERNAME_PATTERN
from twinhub.subdomains import label

NAMES = st.from_regex(re.compile(USERNAME_PATTERN, re.ASCII), fullmatch=True)


@given(NAMES)
def test_every_name_gives_a_host_that_dns_and_wildcard_certificates_take(name: str) -> None:
    """A label of at most 63 letters, digits and hyphens, not two deep."""
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", label(name))
    assert label(name)[2:4] != "--"


@given(NAMES, NAMES)
def test_no_two_people_share_a_host(one: str, other: str) -> None:
    """They would share cookies, and so everything."""
    assert (one == other) == (label(one) == label(other))


def test_nobody_can_choose_a_name_that_gives_somebody_elses_host() -> None:
    """The coded form of one name is not the plain form of another."""
    assert label("ada") == "ada"
    assert label("ada.b") == "n0-mfsgcltc"
    assert label("n0-mfsgcltc") not in ("n0-mfsgcltc", label("ada.b"))
    assert len({label(name) for name in ("a-b", "a.b", "a_b", "a--b", "a.-b")}) == 5
