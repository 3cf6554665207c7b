"""How many named workspaces a person may have, beside the one in which their real-time twins run."""

from types import SimpleNamespace
from typing import Any

import pytest
from tornado import web

from hub.named import NO_LIMIT, named_limit


def handler(server: str | None, *servers: str) -> Any:
    user = SimpleNamespace(orm_spawners=dict.fromkeys(("", *servers)))
    return SimpleNamespace(path_args=["ada", server], find_user=lambda _: user, current_user=user)


def test_the_workspace_of_realtime_twins_needs_no_free_place() -> None:
    """Who has used up their workspaces, or may have none, could otherwise never deploy a model."""
    assert named_limit(3, handler("realtime", "a", "b", "c")) == NO_LIMIT
    assert named_limit(0, handler("realtime")) == NO_LIMIT


def test_it_takes_nobodys_place_either() -> None:
    """With it there, a person still has as many workspaces as before."""
    assert named_limit(3, handler("big", "a", "b")) == 3
    assert named_limit(3, handler("big", "a", "b", "realtime")) == 4


def test_where_nobody_may_have_named_workspaces_none_is_made() -> None:
    """0 means none to an operator, and no limit to the hub."""
    with pytest.raises(web.HTTPError):
        named_limit(0, handler("big"))


def test_pages_that_name_no_workspace_are_told_the_limit() -> None:
    """The hub's own home page asks as well."""
    shown = handler(None, "realtime")
    shown.path_args = []
    assert named_limit(3, shown) == 4
