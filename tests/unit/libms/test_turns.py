"""Turns: what one person asks for at once never holds up another."""

import asyncio

import pytest

from libms.errors import Busy
from libms.turns import Turns


def test_one_person_waits_for_themselves_and_nobody_else() -> None:
    """Three slow queries of one person once stopped the service for all."""

    async def scenario() -> None:
        turns, release, entered = Turns(2, 10), asyncio.Event(), []

        async def job(user: str) -> None:
            async with turns.of(user):
                entered.append(user)
                await release.wait()

        greedy = [asyncio.ensure_future(job("greedy")) for _ in range(5)]
        await asyncio.sleep(0)
        await asyncio.wait_for(_enter(turns, "other"), 1)
        assert entered == ["greedy", "greedy"]
        release.set()
        await asyncio.gather(*greedy)
        assert len(entered) == 5

    asyncio.run(scenario())


async def _enter(turns: Turns, user: str) -> None:
    async with turns.of(user):
        return


def test_too_many_waiting_are_told_so_and_nothing_is_kept() -> None:
    """Memory must not grow with what a runaway program sends."""

    async def scenario() -> None:
        turns, release = Turns(1, 1), asyncio.Event()

        async def job() -> None:
            async with turns.of("a"):
                await release.wait()

        jobs = [asyncio.ensure_future(job()) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await _enter(turns, "a")
        release.set()
        await asyncio.gather(*jobs)
        assert turns.known == 0

    asyncio.run(scenario())
