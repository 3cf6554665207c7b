"""All requests for one server."""

from __future__ import annotations

from collections.abc import Iterator

from tests.support.hostile.attack import Attack, Secrets, Target
from tests.support.hostile.bodies import bodies
from tests.support.hostile.heads import headers, lines


def attacks(target: Target, secrets: Secrets) -> Iterator[Attack]:
    """Give what any server of ours must bear, about 330 requests."""
    yield from lines(target)
    yield from headers(target, secrets)
    yield from bodies(target, secrets)
