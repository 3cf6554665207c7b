"""What comes as user_options is anybody's JSON."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.wishes import Wish, WishRefused, read_form, read_wish

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=20), inner, max_size=3),
    max_leaves=8,
)


def test_a_wish_names_a_profile_or_a_fresh_container_or_neither() -> None:
    """What the Workbench sends."""
    assert read_wish({}) == Wish()
    assert read_wish({"profile": "large", "fresh": True}) == Wish("large", True)


@pytest.mark.parametrize(
    "options",
    [
        {"image": "evil"},
        {"volumes": {"/": "/host"}},
        {"environment": {"LD_PRELOAD": "x"}},
        {"extra_host_config": {"privileged": True}},
        {"mem_limit": None},
        {"cmd": ["sh"]},
        {"profile": ["large"]},
        {"profile": {"name": "large"}},
        {"profile": "x" * 65},
        {"fresh": "yes"},
        ["profile"],
        "large",
        None,
    ],
)
def test_what_makes_a_container_cannot_be_wished_for(options: Any) -> None:
    """CVE-2023-48311: an image by user_options was a shell with whatever that image brings."""
    with pytest.raises(WishRefused) as refusal:
        read_wish(options)
    assert len(str(refusal.value)) < 250


@given(json_values)
def test_any_json_is_a_wish_or_a_refusal(options: Any) -> None:
    """A bad request must be no bug of ours."""
    with suppress(WishRefused):
        wish = read_wish(options)
        assert isinstance(wish.fresh, bool)
        assert wish.profile is None or len(wish.profile) <= 64


def test_an_address_can_name_a_profile_and_nothing_else() -> None:
    """/hub/spawn?opt-image=evil is a link that anybody can send to anybody."""
    assert read_wish(read_form({"profile": ["large"], "fresh": ["1"]})) == Wish("large", True)
    for form in ({"image": ["evil"]}, {"profile": ["a", "b"]}, {"fresh": ["perhaps"]}):
        with pytest.raises(WishRefused):
            read_wish(read_form(form))
