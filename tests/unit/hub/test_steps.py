"""Many starts at once: each waits for its turn and says so."""

import asyncio

from hub.steps import Steps, Turns


def test_only_so_many_start_at_once_and_all_get_their_turn() -> None:
    """Twenty-five people who come in at nine must all be working at ten past."""
    seen: list[int] = []

    async def start(turns: Turns, running: set[int], number: int) -> None:
        async with turns.turn(Steps()):
            running.add(number)
            seen.append(len(running))
            await asyncio.sleep(0)
            running.discard(number)

    async def all_of_them() -> None:
        turns, running = Turns(4), set[int]()
        await asyncio.gather(*(start(turns, running, number) for number in range(25)))

    asyncio.run(all_of_them())
    assert max(seen) == 4
    assert len(seen) == 25


def test_who_waits_is_told_and_who_gives_up_holds_no_turn() -> None:
    """A bar that does not move looks broken; a start that was cancelled must not cost the others their turn."""

    async def two_and_then_one() -> str:
        turns, steps = Turns(1), Steps()
        async with turns.turn(Steps()):
            waiting = asyncio.ensure_future(turns.turn(steps).__aenter__())
            message: str = (await anext(steps.follow()))["message"]
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        async with asyncio.timeout(5), turns.turn(Steps()):
            return message

    assert "yours is next" in asyncio.run(two_and_then_one())


def test_steps_are_there_for_who_comes_late() -> None:
    """The page opens its connection after the start has begun."""

    async def read() -> list[str]:
        steps = Steps()
        steps.tell(5, "one")
        steps.tell(9, "two")
        follower = steps.follow()
        return [(await anext(follower))["message"] for _ in range(2)]

    assert asyncio.run(read()) == ["one", "two"]
