"""Do what may take seconds in threads of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

from lifecycle.server.operations import World

P = ParamSpec("P")
T = TypeVar("T")


async def slowly(world: World, do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do it apart from the common threads, which pages wait for."""
    return await asyncio.get_running_loop().run_in_executor(world.slow, partial(do, *args, **kwargs))
