"""`twin new`."""

from __future__ import annotations

import json
import shlex

import click

from lifecycle.cli.options import json_option
from lifecycle.errors import BadRequest
from lifecycle.places import read_places
from lifecycle.scaffold import Plan, make_twin, plan_twin


@click.command("new")
@click.argument("name")
@click.option("--from", "sources", multiple=True, metavar="EXAMPLE|ASSET", help="An example, or assets (repeat it).")
@click.option("--title", help="Its title for people.")
@click.option("--dry-run", is_flag=True, help="Say what would be made, and make nothing.")
@json_option
def new_command(name: str, sources: tuple[str, ...], title: str | None, dry_run: bool, as_json: bool) -> None:
    """Make the twin NAME: one that runs.

    From an example, from assets (FMUs are connected where names and types
    match, a Python program is run, a table is read), or from nothing.
    Nothing is overwritten. 'twin examples' lists the examples.

    \b
    Exit codes: 0 it is there; 2 refused, and nothing was made.

    \b
    Examples:
      twin new my-tank
      twin new my-oscillator --from mass-spring-damper
      twin new tank --from models/Tank.fmu --from common/models/Valve@1.2.fmu
    """
    examples = [source for source in sources if "/" not in source]
    assets = [source for source in sources if "/" in source]
    if len(examples) > 1 or (examples and assets):
        raise BadRequest(
            f"A twin begins with one example or with assets, and not with {' and '.join(sources)}.",
            "Name assets by their path, such as models/NAME.",
        )
    places = read_places()
    plan = plan_twin(places, name, example=examples[0] if examples else None, assets=assets, title=title)
    if not dry_run:
        make_twin(places, plan)
    if as_json:
        click.echo(json.dumps({**plan.as_json(), "dry_run": dry_run}))
        return
    _show(plan, dry_run)


def _show(plan: Plan, dry_run: bool) -> None:
    for place in plan.made:
        click.echo(f"{'would make' if dry_run else 'made'}  {place}")
    for place in plan.kept:
        click.echo(f"left  {place}, which is the same already")
    for note in plan.notes:
        click.echo(f"\n{note}")
    if not dry_run:
        name = shlex.quote(plan.name)
        click.echo(f"\nTry it:  twin explore {name}  and  twin run {name} execute")
        click.echo(f"Undo:    rm -r {' '.join(shlex.quote(str(place)) for place in plan.made)}")
