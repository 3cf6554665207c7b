"""`twin explore`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Final

import click

from lifecycle.cli.following import exit_code, follow
from lifecycle.cli.options import json_option, set_option, twin_argument
from lifecycle.errors import BadRequest
from lifecycle.explore import Found, Report, explore_twin
from lifecycle.models import Phase, Run
from lifecycle.places import Places, read_places
from lifecycle.prepared import read_settings
from lifecycle.runs import Runs
from lifecycle.twins import find_twin

COLOURS: Final = {Found.OK: "green", Found.WARNING: "yellow", Found.MISSING: "red"}


@click.command("explore")
@twin_argument
@set_option
@json_option
def explore_command(name: str, *, settings: Sequence[str], as_json: bool) -> None:
    """Look whether everything that the twin NAME needs is there.

    Looks at its descriptor, programs, assets and their versions, FMUs and
    their connections, tools, services and ports. Then runs the twin's own
    phase explore, where it has one, with the parameters given.

    \b
    Exit codes: 0 nothing is missing; 1 something is; 2 refused; else that of the
    twin's own phase.

    \b
    Examples:
      twin explore mass-spring-damper
      twin explore mass-spring-damper --json
    """
    given = read_settings(settings)
    places = read_places()
    report = explore_twin(places, name)
    if not as_json:
        _show(report)
    run = _own_phase(places, name, given, show=not as_json)
    if as_json:
        click.echo(json.dumps({**report.as_json(), "run": run.as_json() if run else None}))
    sys.exit(1 if not report.ok else exit_code(run) if run else 0)


def _own_phase(places: Places, name: str, given: Mapping[str, str], *, show: bool) -> Run | None:
    """Run the twin's own explore, where it has one that can be run."""
    program = find_twin(places, name).programs.get(Phase.EXPLORE)
    if program is None or not program.stat().st_mode & 0o111:
        if given:
            what = f"The twin '{name}' has no phase explore of its own, so there is nothing to set."
            raise BadRequest(what, "Leave --set out.")
        return None
    runs = Runs(places)
    return follow(runs, runs.start(name, Phase.EXPLORE, parameters=given), stop_on_interrupt=True, show=show)


def _show(report: Report) -> None:
    width = min(40, max((len(finding.subject) for finding in report.findings), default=0))
    for finding in report.findings:
        level = click.style(f"{finding.level.value:<8}", fg=COLOURS[finding.level])
        click.echo(f"{level} {finding.subject:<{width}}  {finding.what}")
        if finding.fix:
            click.echo(f"{'':<8} {'':<{width}}  {click.style(finding.fix, bold=True)}")
    click.echo(_summary(report))


def _summary(report: Report) -> str:
    counts = {level: report.count(level) for level in (Found.MISSING, Found.WARNING)}
    if not any(counts.values()):
        return f"{report.twin}: all {len(report.findings)} things looked at are as they should be."
    parts = [
        f"{number} missing" if level is Found.MISSING else f"{number} to look at"
        for level, number in counts.items()
        if number
    ]
    return f"{report.twin}: {', '.join(parts)}, {report.count(Found.OK)} as they should be."
