"""`twin run`."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from lifecycle.cli.following import exit_code, follow, tell_end
from lifecycle.cli.options import json_option, phase_argument, set_option, twin_argument
from lifecycle.command import MORE_THAN_A_PROGRAM, leave
from lifecycle.places import read_places
from lifecycle.prepared import read_settings
from lifecycle.runs import Runs


@click.command("run")
@twin_argument
@phase_argument
@click.argument("extra", metavar="[-- ARGUMENT…]", nargs=-1, type=click.UNPROCESSED)
@set_option
@click.option("--detach", is_flag=True, help="Start it and return; 'twin logs' shows its output.")
@json_option
@click.pass_context
def run_command(
    context: click.Context,
    name: str,
    phase: str,
    *,
    extra: Sequence[str],
    settings: Sequence[str],
    detach: bool,
    as_json: bool,
) -> None:
    """Run PHASE of the twin NAME and record the run.

    Shows the output as it comes. Ctrl-C stops the run and everything it started.
    Parameters and limits are those of twin.yaml; what follows -- is added to the
    program's arguments. explore, save, evolve and terminate do what the commands
    of these names do.

    \b
    Exit codes: the program's own; 1 when it gave none; 2 when nothing was started,
    as a name, parameter or descriptor is wrong or the phase runs already; 130 when
    it was stopped; 0 when it is done or, with --detach, when it runs.

    \b
    Examples:
      twin run tank execute
      twin run tank execute --set level=2.5 --set valve=open
      twin run tank execute --detach
      twin run tank execute -- --verbose
    """
    given = read_settings(settings)
    if phase in MORE_THAN_A_PROGRAM and not (extra or detach) and _hand_over(context, name, phase, settings, as_json):
        return
    runs = Runs(read_places(), forks=True)
    run = runs.start(name, phase, parameters=given, arguments=extra)
    if not detach:
        run = follow(runs, run, stop_on_interrupt=True, show=not as_json)
    if as_json:
        click.echo(json.dumps(run.as_json()))
    elif detach:
        click.echo(f"{run.id} runs. 'twin logs {run.id} --follow' shows its output.")
    else:
        tell_end(run)
    leave(exit_code(run))


def _hand_over(context: click.Context, name: str, phase: str, settings: Sequence[str], as_json: bool) -> bool:
    """Let the command of the phase's name do it, where it takes what was given."""
    group = context.parent.command if context.parent is not None else None
    command = group.get_command(context, phase) if isinstance(group, click.Group) else None
    if command is None:
        return False
    given = [word for setting in settings for word in ("--set", setting)]
    words = [*given, *(["--json"] if as_json else []), "--", name]
    with command.make_context(phase, words, parent=context.parent) as inner:
        command.invoke(inner)
    return True
