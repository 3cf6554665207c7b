"""`twin stop`."""

from __future__ import annotations

import json

import click

from lifecycle.cli.completing import complete_which
from lifecycle.cli.following import tell_end
from lifecycle.cli.options import json_option, optional_phase_argument
from lifecycle.errors import BadRequest, PhaseNotSupported
from lifecycle.models import Phase, Run, phase_from_name
from lifecycle.places import read_places
from lifecycle.records import RUN_ID
from lifecycle.runs import Runs
from lifecycle.terminate import end_sweeps, stop_all, stop_together
from lifecycle.twins import find_twin

REASON = "stopped by 'twin stop'"


@click.command("stop")
@click.argument("which", metavar="[TWIN|RUN]", required=False, shell_complete=complete_which)
@optional_phase_argument
@click.option("--all", "everything", is_flag=True, help="Stop all that runs in this workspace, within eight seconds.")
@json_option
def stop_command(which: str | None, phase: str | None, everything: bool, as_json: bool) -> None:
    """Stop what runs of a twin, only its PHASE, or one run.

    The program and all that it started get SIGTERM and, ten seconds later,
    SIGKILL; sweeps of what is stopped end too. 'twin terminate' first lets the twin's own lifecycle/terminate run.

    \b
    Exit codes: 0 what was asked for does not run any more; 2 refused.

    \b
    Examples:
      twin stop tank
      twin stop tank execute
      twin stop --all
    """
    if (which is None) != everything or (everything and phase):
        raise BadRequest("Say what to stop.", "Write: twin stop TWIN [PHASE], twin stop RUN, or twin stop --all.")
    runs = Runs(read_places())
    stopped = stop_all(runs, REASON) if which is None else _stop(runs, which, phase)
    if as_json:
        click.echo(json.dumps([run.as_json() for run in stopped]))
        return
    if not stopped:
        click.echo(f"Nothing{f' of {which}' if which else ''} runs.")
    for run in stopped:
        tell_end(run, err=False)


def _stop(runs: Runs, which: str, phase: str | None) -> list[Run]:
    wanted = _wanted(runs, which, phase)
    if not RUN_ID.fullmatch(which):  # one run of a sweep may be stopped alone
        end_sweeps(runs, wanted)
    stop_together(runs, wanted, reason=REASON)
    return [runs.get(run.id) for run in wanted]


def _wanted(runs: Runs, which: str, phase: str | None) -> list[Run]:
    if RUN_ID.fullmatch(which):
        return [runs.get(which)]
    twin = find_twin(runs.places, which, described=False)
    wanted = phase_from_name(phase) if phase else None
    if phase and wanted is None:
        raise PhaseNotSupported(
            f"{phase!r} is not a phase, so nothing was stopped.", f"Phases are: {', '.join(Phase)}."
        )
    return runs.running(twin.name, wanted)
