"""Run a scale test from beginning to end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from twinhub.errors import PublicError
from twinhub.operate.monitor.machine import look_at_machine, memory_of
from twinhub.operate.report import Report
from twinhub.operate.scaletest.bots import Bot
from twinhub.operate.scaletest.figures import Figures
from twinhub.operate.scaletest.people import left_over, make_people, remove_people
from twinhub.operate.supervisor import Supervisor
from twinhub.places import Places

WORKSPACE_BYTES: Final = 200_000_000
"""Measured: 117 MB of an idle workspace, 60 MB of a kernel, and some room."""
WATCHED: Final = ("hub", "gateway")
TELL_EVERY_S: Final = 5.0


class TooFewResources(PublicError):
    """The machine would not bear the test."""

    code = "scaletest_refused"
    status = 409


@dataclass(frozen=True)
class Plan:
    """Who comes, how fast, and how long they stay."""

    people: int
    per_second: float
    stay_s: float


def check_room(places: Places, plan: Plan) -> None:
    """Refuse a test for which memory would not do; raises TooFewResources."""
    free = look_at_machine(places.data_dir).memory_free_bytes
    needed = plan.people * WORKSPACE_BYTES
    if needed > free * 0.8:
        raise TooFewResources(
            f"{plan.people} workspaces need about {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free.",
            f"Take at most {int(free * 0.8 / WORKSPACE_BYTES)} people, or --yes to try all the same.",
        )


def run(places: Places, plan: Plan, report: Report) -> Figures:
    """Run it; whatever happens, Ctrl-C too, the people are removed with all they left."""
    figures = Figures(plan.people)
    remove_people(places, left_over(places), report)
    try:
        with report.step(f"Making {plan.people} accounts"):
            passwords = make_people(places, plan.people, report)
        figures.memory_bytes["before"] = _memory(places)
        with report.step("Everybody comes, works and stays"):
            asyncio.run(_live(places, plan, passwords, figures, report))
        figures.memory_bytes["after they left"] = _memory(places)
    finally:
        with report.step("Removing accounts, containers and files"):
            problems = remove_people(places, left_over(places), report)
        for problem in problems:
            figures.failures[f"not removed: {problem}"] += 1
    return figures


async def _live(places: Places, plan: Plan, passwords: dict[str, str], figures: Figures, report: Report) -> None:
    timeout_s = places.settings.workspaces.start_timeout_s + 30.0
    bots = [Bot(base_url(places), name, password, figures, timeout_s) for name, password in passwords.items()]
    ready = asyncio.Event()
    telling = asyncio.create_task(_tell(figures, report))
    tasks = []
    longest_s = plan.people / plan.per_second + timeout_s + 120.0 + plan.stay_s
    try:
        for bot in bots:
            tasks.append(asyncio.create_task(bot.live(longest_s, ready)))
            await asyncio.sleep(1 / plan.per_second)
        await asyncio.gather(*(bot.settled.wait() for bot in bots))
        ready.set()
        await asyncio.sleep(plan.stay_s)
        figures.memory_bytes["with everybody"] = _memory(places)
    finally:
        telling.cancel()
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, telling, return_exceptions=True):
            if isinstance(ended, Exception):  # which a bot does not know of, so it is ours
                figures.failures[f"{type(ended).__name__}: {str(ended)[:100]}"] += 1
        await asyncio.gather(*(bot.leave() for bot in bots), return_exceptions=True)


async def _tell(figures: Figures, report: Report) -> None:
    while True:
        await asyncio.sleep(TELL_EVERY_S)
        done = ", ".join(f"{len(times)} {step}" for step, times in figures.times_s.items() if step != "answer")
        report.detail(
            f"{done} of {figures.people}; {figures.open_sockets} WebSockets open, {sum(figures.failures.values())} failed"
        )


def base_url(places: Places) -> str:
    """Give the gateway's public side, as seen from this machine: with all its limits."""
    host = "127.0.0.1" if places.settings.address in ("0.0.0.0", "") else places.settings.address  # noqa: S104
    scheme = places.origin.partition(":")[0]
    return f"{scheme}://{host}:{places.settings.port}"


def _memory(places: Places) -> dict[str, int]:
    states = {state.name: state.pid for state in Supervisor(places).states()}
    found = {name: memory_of(states[name]) for name in WATCHED if name in states}
    return {name: size for name, size in found.items() if size is not None}
