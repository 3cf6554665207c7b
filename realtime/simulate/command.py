"""`realtime simulate`: a fleet that does not exist, here or against the service."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

import click
import msgspec

from realtime.cli import client_of
from realtime.cli.client import NoAccess
from realtime.cli.options import json_option, print_json, print_table
from realtime.errors import RealtimeError
from realtime.simulate.feeds import Access, Feed, NatsFeed, RestFeed, WebSocketFeed
from realtime.simulate.fleet import Fleet
from realtime.simulate.live import Drive, Load
from realtime.simulate.loading import load_file, simulations_of
from realtime.simulate.local import Outcome, compare, read_states, run_here
from realtime.simulation import Simulation
from realtime.twin import Twin

SETTING = "NAME=VALUE"


class SimulationRefused(RealtimeError):
    """A simulation cannot run with what was given."""

    code = "simulation_refused"
    status = 422


@click.command("simulate")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-n", "--devices", default=100, show_default=True, type=click.IntRange(1, 1_000_000), help="So many.")
@click.option(
    "--hours", default=1.0, show_default=True, type=click.FloatRange(0, min_open=True), help="Simulated time."
)
@click.option("--seed", default=0, show_default=True, help="The same seed gives the same run.")
@click.option("--tick", "tick_s", default=1.0, show_default=True, type=click.FloatRange(0, min_open=True),
              help="Seconds of the simulated clock's steps.")  # fmt: skip
@click.option("--set", "settings", multiple=True, metavar=SETTING, help="Set a parameter of the simulation.")
@click.option("--compare", "others", multiple=True, metavar=SETTING,
              help="Run a second time with this, and show what differs.")  # fmt: skip
@click.option("--states", type=click.File("rb"), metavar="FILE",
              help="Begin with these states: what 'realtime instances MODEL --json' prints, or an object with 'id' in each line.")  # fmt: skip
@click.option("--to", "way", type=click.Choice(["here", "rest", "websocket", "nats"]), default="here", show_default=True,
              help="Run the models here, or send to the service.")  # fmt: skip
@click.option("--pace", type=click.FloatRange(0, min_open=True),
              help="Simulated seconds in a second, 1 is real time; as fast as it goes if left out.")  # fmt: skip
@json_option
@click.pass_context
def simulate(ctx: click.Context, /, *, file: Path, way: str, as_json: bool, **given: Any) -> None:
    """Run the simulated devices in FILE on a simulated clock.

    Models run here, in this process, and what came of it is printed; with --to, messages
    go to the service, whose models have to be deployed, as load.

    \b
    Examples:
      realtime simulate simulator.py -n 1000 --hours 24
      realtime simulate simulator.py -n 1000 --hours 24 --set leaks_per_day=1 --compare leaks_per_day=2
      realtime simulate simulator.py -n 20000 --to websocket --pace 1
    """
    kinds = simulations_of(file)
    if way == "here":
        _show(_run_here(file, kinds, given), as_json=as_json)
        return
    if given["others"] or given["states"]:
        raise click.UsageError("--compare and --states are for runs that stay here.")
    load = asyncio.run(_run_live(ctx, kinds, way, given))
    if as_json:
        print_json({**msgspec.to_builtins(load), "rate": load.rate})
    else:
        click.echo(
            f"{load.messages} messages in {load.seconds:.1f} s: {load.rate:,.0f} per second; {load.replies} replies."
        )
        if load.behind_s > 1:
            click.echo(f"At worst the run was {load.behind_s:.1f} s behind its pace.")


def _settings(words: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise click.UsageError(f"'{word}' is no setting; write {SETTING}.")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def _fleets(
    kinds: list[type[Simulation]], given: dict[str, Any], start_s: float, settings: dict[str, Any]
) -> list[Fleet]:
    """Make the fleets; a setting goes to all kinds that have a parameter of that name."""
    known = {field.name for kind in kinds for field in msgspec.structs.fields(kind)}
    if unknown := sorted(settings.keys() - known):
        raise SimulationRefused(
            f"There is no parameter '{unknown[0]}'.", f"There are: {', '.join(sorted(known)) or 'none'}."
        )
    fleets = []
    for kind in kinds:
        own = {field.name for field in msgspec.structs.fields(kind)} & settings.keys()
        parameters = {name: settings[name] for name in own}
        common: dict[str, Any] = {"seed": given["seed"], "start_s": start_s, "tick_s": given["tick_s"]}
        try:
            fleets.append(Fleet(kind, given["devices"] * kind.each, parameters=parameters, **common))
        except msgspec.ValidationError as error:
            raise SimulationRefused(f"A parameter does not fit: {error}.", "Look at the class in the file.") from None
    return fleets


def _run_here(file: Path, kinds: list[type[Simulation]], given: dict[str, Any]) -> dict[str, Outcome]:
    models = _models(file, kinds)
    states = {models[0]: read_states(models[0], given["states"].read())} if given["states"] else None
    settings = _settings(given["settings"])
    runs = {"run": settings}
    if given["others"]:
        runs = {" ".join(given["settings"]) or "as it is": settings}
        runs[" ".join(given["others"])] = settings | _settings(given["others"])
    start_s = 0.0
    return {
        name: run_here(
            _fleets(kinds, given, start_s, one), models, given["hours"] * 3600, states=states, start_s=start_s
        )
        for name, one in runs.items()
    }


def _models(file: Path, kinds: list[type[Simulation]]) -> list[type[Twin]]:
    """Give the models of the devices first, and then those beside them, to which they may send."""
    first = {kind.model: None for kind in kinds if not isinstance(kind.model, str)}
    beside = file.parent / "model.py"
    module = vars(load_file(beside)) if beside.is_file() else {}
    twins = [one for one in module.values() if isinstance(one, type) and issubclass(one, Twin) and one is not Twin]
    # What others inherit from is a part of them, and has no devices.
    others = [one for one in twins if not any(other in one.__subclasses__() for other in twins)]
    found: list[type[Twin]] = list(dict.fromkeys([*first, *others]))
    if not found:
        raise SimulationRefused("The simulation's model is not here.", "Put its class into 'model', or use --to.")
    return found


async def _run_live(ctx: click.Context, kinds: list[type[Simulation]], way: str, given: dict[str, Any]) -> Load:
    start_s = time.time()
    drive = Drive(_fleets(kinds, given, start_s, _settings(given["settings"])), start_s=start_s, pace=given["pace"])
    feed: Feed
    if way == "nats":
        names = ("REALTIME_SERVERS", "REALTIME_USER", "REALTIME_PASSWORD")
        if missing := [name for name in names if not os.environ.get(name)]:
            raise NoAccess(f"{missing[0]} is not set.", "Set it as in a workspace, or use --to websocket.")
        servers, user, password = (os.environ[name] for name in names)
        feed = await NatsFeed.connect(servers.split(","), user, password, heard=drive.heard)
    else:
        client = client_of(ctx)
        access = Access(client.url, client.owner, client.token)
        feed = RestFeed(access) if way == "rest" else WebSocketFeed(access, heard=drive.heard)
    return await drive.run(feed, given["hours"] * 3600)


def _show(outcomes: dict[str, Outcome], *, as_json: bool) -> None:
    figures = {name: outcome.figures() for name, outcome in outcomes.items()}
    if as_json:
        print_json(figures if len(figures) > 1 else next(iter(figures.values())))
    elif len(outcomes) > 1:
        rows = [(name, *row.values()) for name, row in compare(outcomes).items()]
        print_table(("", *outcomes), rows)
    else:
        print_table(("", "value"), list(next(iter(figures.values())).items()))
