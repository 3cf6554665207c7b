"""The user's command: `twin VERB NAME`."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from datetime import datetime
from typing import Any

import click

from lifecycle.errors import NotRunning, PhaseNotSupported, RunNotFound, TwinError
from lifecycle.logs import read_log
from lifecycle.models import Phase, Run, RunState, phase_from_name
from lifecycle.places import read_places
from lifecycle.runs import RUN_ID, Runs
from lifecycle.twins import find_twin, list_twins

EPILOG = """\b
Exit codes:
  0    done
  1    the phase failed and gave no code of its own
  2    refused, with the reason and the remedy, or wrong usage
  130  the run was stopped
  else the exit code of the phase's own program
"""


class TwinGroup(click.Group):
    """Turn a TwinError into one line on standard error and its exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except TwinError as error:
            click.echo(f"twin: {error.what} {error.fix}".rstrip(), err=True)
            ctx.exit(error.exit_code)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


@click.group(cls=TwinGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """List digital twins, run their phases, look at their runs.

    \b
    Examples:
      twin list
      twin run mass-spring-damper execute
      twin logs mass-spring-damper
    """


@main.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """Show all twins with their phases and what runs."""
    places = read_places()
    runs = Runs(places)
    twins = list_twins(places)
    if as_json:
        click.echo(json.dumps([{"name": twin.name, "title": twin.title, "phases": twin.phases} for twin in twins]))
        return
    if not twins:
        click.echo(f"No twins yet. A twin is a folder in {places.twins} with programs in its lifecycle/ folder.")
    for twin in twins:
        running = ", ".join(run.phase for run in runs.running(twin.name))
        click.echo(f"{twin.name:<28} {' '.join(twin.phases)}{f'   running: {running}' if running else ''}")


@main.command("run")
@click.argument("name")
@click.argument("phase")
@click.option("--detach", is_flag=True, help="Start it and return; 'twin logs' shows its output.")
@json_option
def run_command(name: str, phase: str, detach: bool, as_json: bool) -> None:
    """Run PHASE of the twin NAME and record the run.

    Shows the output as it comes. Ctrl-C stops the run and everything it started.
    The exit code is that of the phase's program.
    """
    runs = Runs(read_places())
    run = runs.start(name, phase)
    if not detach:
        run = _follow(runs, run, stop_on_interrupt=True, show=not as_json)
    if as_json:
        click.echo(json.dumps(run.as_json()))
    elif detach:
        click.echo(f"{run.id} runs. 'twin logs {run.id} --follow' shows its output.")
    else:
        click.echo(f"{run.twin} {run.phase}: {run.state} after {run.duration_s:.1f} s", err=True)
    sys.exit(_exit_code(run))


@main.command("stop")
@click.argument("name")
@click.argument("phase", required=False)
@json_option
def stop_command(name: str, phase: str | None, as_json: bool) -> None:
    """Stop what runs of the twin NAME, or only its PHASE."""
    places = read_places()
    runs = Runs(places)
    twin = find_twin(places, name)
    wanted = phase_from_name(phase) if phase else None
    if phase and wanted is None:
        raise PhaseNotSupported(
            f"{phase!r} is not a phase, so nothing was stopped.", f"Phases are: {', '.join(Phase)}."
        )
    stopped = []
    for run in runs.running(twin.name, wanted):
        with suppress(NotRunning):  # it ended by itself meanwhile
            stopped.append(runs.stop(run.id))
    if as_json:
        click.echo(json.dumps([run.as_json() for run in stopped]))
    elif not stopped:
        click.echo(f"Nothing of {name} runs.")
    for run in stopped if not as_json else ():
        click.echo(f"{run.twin} {run.phase}: {run.state} after {run.duration_s:.1f} s")


@main.command("history")
@click.argument("name", required=False)
@click.option("-n", "--number", default=20, show_default=True, help="How many of the latest runs.")
@json_option
def history_command(name: str | None, number: int, as_json: bool) -> None:
    """Show the latest runs, of all twins or of the twin NAME."""
    found = Runs(read_places()).latest(name, number)
    if as_json:
        click.echo(json.dumps([run.as_json() for run in found]))
        return
    if not found:
        click.echo("No runs yet. Start one with: twin run NAME execute")
    for run in found:
        when = datetime.fromisoformat(run.started).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        code = "" if run.exit_code is None else f"exit {run.exit_code}"
        click.echo(
            f"{run.id}  {when}  {run.twin} {run.phase:<9} {run.state:<11} {run.duration_s:>8.1f} s  {code}".rstrip()
        )


@main.command("logs")
@click.argument("which")
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends.")
def logs_command(which: str, follow: bool) -> None:
    """Show the output of a run: WHICH is a run's id, or a twin's name for its latest run."""
    runs = Runs(read_places())
    if RUN_ID.fullmatch(which):
        run = runs.get(which)
    else:
        latest = runs.latest(which, 1)
        if not latest:
            raise RunNotFound(f"{which!r} has no runs.", "'twin history' shows all runs, 'twin list' all twins.")
        run = latest[0]
    if follow:
        _follow(runs, run, stop_on_interrupt=False, show=True)
    else:
        _show_from(runs, run, 0)


def _show_from(runs: Runs, run: Run, offset: int, *, show: bool = True) -> int:
    """Print what there is from a byte on; give the byte to go on from."""
    while True:
        data, following = read_log(runs.log(run.id), offset)
        if show:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        if following == offset:
            return offset
        offset = following


def _follow(runs: Runs, run: Run, *, stop_on_interrupt: bool, show: bool) -> Run:
    """Print output until the run ends."""
    offset = 0
    try:
        while run.state is RunState.RUNNING:
            offset = _show_from(runs, run, offset, show=show)
            run = runs.wait(run.id, timeout_s=3600, size_bytes=offset)
    except KeyboardInterrupt:
        if stop_on_interrupt:
            click.echo("stopping…", err=True)
            run = runs.stop(run.id)
    _show_from(runs, run, offset, show=show)
    return run


def _exit_code(run: Run) -> int:
    if run.state is RunState.STOPPED:
        return 130
    if run.state in (RunState.RUNNING, RunState.SUCCEEDED):
        return 0
    return run.exit_code or 1


if __name__ == "__main__":
    main()
