"""One world per backend whose module exists."""

import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.backends.worlds import OWNERS, World

PLACE = "tests.integration.backends"
MADE = [kind for kind in ("disk", "git", "gitlab") if importlib.util.find_spec(f"{PLACE}.{kind}_world") is not None]


@pytest.fixture(params=MADE)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A fresh backend of each kind, with the owners alice, bob and common."""
    kind: str = request.param
    module = importlib.import_module(f"{PLACE}.{kind}_world")
    with getattr(module, f"{kind}_world")(tmp_path) as made:
        for owner in OWNERS:
            made.backend.ensure_owner(owner)
        yield World(made.backend, made.put)
