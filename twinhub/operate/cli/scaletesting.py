"""`twinhub scaletest`: how many people this machine bears."""

from __future__ import annotations

import json

import click

from twinhub.operate.cli.options import json_option, places_of
from twinhub.operate.report import Report
from twinhub.operate.scaletest.people import left_over, remove_people
from twinhub.operate.scaletest.running import Plan, check_room, run


@click.command("scaletest")
@click.option("--people", default=20, show_default=True, type=click.IntRange(1, 2000), help="How many come.")
@click.option(
    "--per-second", default=1.0, show_default=True, type=click.FloatRange(0.05, 100), help="How many come in a second."
)
@click.option(
    "--stay", default=30.0, show_default=True, type=click.FloatRange(0, 86400), help="Seconds all stay connected."
)
@click.option("--yes", is_flag=True, help="Try also when memory would not do.")
@click.option("--clean-up", is_flag=True, help="Only remove what an interrupted test left.")
@json_option
@click.pass_context
def scaletest(
    ctx: click.Context, /, *, people: int, per_second: float, stay: float, yes: bool, clean_up: bool, as_json: bool
) -> None:
    """Have many simulated people sign in, start workspaces, run code and leave WebSockets open; print the times.

    They are called scaletest-NNNN; their accounts, containers and files are removed at the end, also after Ctrl-C.
    People who work meanwhile will notice it. Exit code 1 when anybody could not go on.

    \b
    Example: twinhub scaletest --people 50 --per-second 2 --stay 600
    """
    places = places_of(ctx)
    report = Report()
    if clean_up:
        names = left_over(places)
        problems = remove_people(places, names, report)
        click.echo(f"{len(names) - len(problems)} removed.")
        ctx.exit(1 if problems else 0)
    plan = Plan(people, per_second, stay)
    if not yes:
        check_room(places, plan)
    figures = run(places, plan, report)
    click.echo(json.dumps(figures.as_json()) if as_json else figures.as_text())
    if figures.failures or figures.lost_sockets:
        ctx.exit(1)
