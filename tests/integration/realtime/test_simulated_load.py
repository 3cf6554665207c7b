"""Simulated fleets against the real service: each way in, with nothing lost, and with replies that devices hear."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from realtime.simulate import Fleet, load_file, read_states, run_here, simulations_of
from realtime.simulate.feeds import Access, LoadRefused, NatsFeed, RestFeed, WebSocketFeed
from realtime.simulate.live import Drive, Load
from realtime.simulate.websocket import FeedClosed
from tests.support.realtime import OWNER, Standalone, standalone

DEMO = Path(__file__).parents[3] / "examples" / "realtime" / "gas_sensor"
(SENSOR,) = simulations_of(DEMO / "simulator.py")
COUNT, DURATION_S = 400, 600.0


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    with standalone(tmp_path_factory.mktemp("alone")) as found:
        found.deploy({"model.py": (DEMO / "model.py").read_text()}, entry="model.py")
        yield found


async def _drive(service: Standalone, way: str, drive: Drive, duration_s: float) -> Load:
    feed: NatsFeed | RestFeed | WebSocketFeed
    if way == "nats":
        user, password = service.program_user, service.program_password
        feed = await NatsFeed.connect([service.servers], user, password, heard=drive.heard)
    elif way == "rest":
        feed = RestFeed(access(service))
    else:
        feed = WebSocketFeed(access(service), heard=drive.heard)
    return await drive.run(feed, duration_s)


def driven(service: Standalone, way: str, drive: Drive, duration_s: float) -> Load:
    return asyncio.run(_drive(service, way, drive, duration_s))


def access(service: Standalone) -> Access:
    return Access(service.url, OWNER, "a token that a service for one person does not look at")


def fleet(way: str, **parameters: float) -> Fleet:
    """Make sensors whose ids tell the way that they go."""
    kind = type(f"{way}_sensor", (SENSOR,), {"model": SENSOR.model})
    return Fleet(kind, COUNT, seed=4, parameters=parameters)


def arrived(service: Standalone, way: str, count: int) -> int:
    """Wait until the worker has them; give how many there are."""
    end = time.monotonic() + 20
    while True:
        found = service.get("/models/GasSensor/instances", where=f"id like '{way}_sensor-%'", limit=1)
        total = int(found["total"])
        if total == count or time.monotonic() > end:
            return total
        time.sleep(0.1)


@pytest.mark.parametrize("way", ["rest", "websocket", "nats"])
def test_all_messages_of_a_fleet_are_taken(service: Standalone, way: str) -> None:
    """A load that loses messages measures nothing."""
    drive = Drive([fleet(way)], start_s=0.0)
    load = driven(service, way, drive, DURATION_S)
    assert load.messages > COUNT * 15
    assert load.refused == 0
    assert arrived(service, way, COUNT) == COUNT


@pytest.mark.parametrize("way", ["websocket", "nats"])
def test_devices_hear_their_twins_replies(service: Standalone, way: str) -> None:
    """A simulated valve has to shut when the twin says so."""
    simulated = fleet(f"{way}_heard", leaks_per_day=10_000.0, grows_by_ppm=250.0)
    drive = Drive([simulated], start_s=0.0, pace=100.0)
    load = driven(service, way, drive, 300.0)
    assert load.replies > COUNT
    assert sum(one.shut_s is not None for one in simulated.devices) > COUNT / 2  # type: ignore[attr-defined]
    assert load.seconds >= 3.0


@pytest.mark.parametrize("way", ["rest", "websocket"])
def test_a_model_that_there_is_not_ends_the_run_with_the_services_words(service: Standalone, way: str) -> None:
    """Not with a traceback, and not after an hour."""
    kind = type("Lost", (SENSOR,), {"model": "Nobody"})
    with pytest.raises((LoadRefused, FeedClosed), match="Nobody"):
        driven(service, way, Drive([Fleet(kind, 10)], start_s=0.0), 600.0)


def test_a_run_against_the_service_ends_in_the_states_of_a_run_here(service: Standalone) -> None:
    """What was tried out here is what happens there, for rules that do not depend on time."""
    settings = {"leaks_per_day": 0.0}
    load = driven(service, "websocket", Drive([fleet("same", **settings)], start_s=0.0), 300.0)
    here = run_here([fleet("same", **settings)], [load_file(DEMO / "model.py").GasSensor], 300.0)
    assert load.messages == here.messages
    assert arrived(service, "same", COUNT) == COUNT
    end = time.monotonic() + 20
    for name in (f"same_sensor-{number}" for number in (0, 7, 399)):
        while (found := service.get(f"/models/GasSensor/instances/{name}")["state"]["ppm"]) != (
            wanted := here.states["GasSensor"][name].ppm
        ):
            assert time.monotonic() < end, (name, found, wanted)
            time.sleep(0.1)


def test_the_command_sends_a_fleet(service: Standalone) -> None:
    """As people type it."""
    ended = subprocess.run(
        [sys.executable, "-m", "realtime.cli", "--owner", OWNER, "simulate", str(DEMO / "simulator.py"), "-n", "50",
         "--hours", "0.1", "--to", "websocket", "--json"],
        env={**os.environ, "REALTIME_URL": service.url, "REALTIME_TOKEN": "any"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["messages"] > 500


def test_what_the_service_lists_is_what_a_run_here_begins_with(service: Standalone) -> None:
    """From how things are, to what they would become."""
    model = load_file(DEMO / "model.py").GasSensor
    driven(service, "rest", Drive([fleet("listed")], start_s=0.0), 60.0)
    assert arrived(service, "listed", COUNT) == COUNT
    listed = service.get("/models/GasSensor/instances", where="id like 'listed_sensor-%'", limit=1000)
    states = read_states(model, json.dumps(listed).encode())
    assert len(states) == COUNT
    outcome = run_here([fleet("listed")], [model], 60.0, states={model: states})
    assert outcome.dead_letters == []
    assert len(outcome.states["GasSensor"]) == COUNT
