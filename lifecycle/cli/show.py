"""`twin show`."""

from __future__ import annotations

import json
from typing import Any

import click

from lifecycle.cli.following import coloured, state_words
from lifecycle.cli.history import line_for, local_time
from lifecycle.cli.options import json_option, which_argument
from lifecycle.descriptor import DescriptorInvalid, read_descriptor
from lifecycle.limits import about_size, size_words, time_words
from lifecycle.models import Run, Twin
from lifecycle.places import read_places
from lifecycle.records import RUN_ID
from lifecycle.runs import Runs
from lifecycle.twins import find_twin

LATEST = 5


@click.command("show")
@which_argument
@json_option
def show_command(which: str, as_json: bool) -> None:
    """Show one twin, with its parameters and latest runs, or one run with all that is recorded of it.

    \b
    Exit codes: 0 shown; 2 there is no such twin or run.
    """
    runs = Runs(read_places())
    if RUN_ID.fullmatch(which):
        run = runs.get(which)
        click.echo(json.dumps(run.as_json()) if as_json else "\n".join(_run_lines(runs, run)))
        return
    twin = find_twin(runs.places, which)
    click.echo(json.dumps(_twin_as_json(runs, twin)) if as_json else "\n".join(_twin_lines(runs, twin)))


def _run_lines(runs: Runs, run: Run) -> list[str]:
    code = "" if run.exit_code is None else f"exit {run.exit_code}"
    signal = run.signal or ""
    parameters = " ".join(f"{name}={value}" for name, value in run.parameters.items())
    rows = {
        "run": run.id,
        "twin": f"{run.twin} {run.phase}",
        "state": ", ".join(part for part in (state_words(run), run.reason, code, signal) if part),
        "started": local_time(run.started),
        "took": f"{run.duration_s:.1f} s",
        "processor": "" if run.cpu_s is None else f"{run.cpu_s:.1f} s",
        "memory": "" if run.peak_memory_bytes is None else f"{about_size(run.peak_memory_bytes)} at its peak",
        "parameters": parameters,
        "arguments": " ".join(run.arguments),
        "git commit": run.git_commit or "",
        "outputs": run.outputs
        + ("" if run.outputs_changed is None else f", {run.outputs_changed} files made, changed or removed"),
        "sweep": run.sweep or "",
        "repeats": run.replay_of or "",
        "log": f"{runs.log(run.id)}" + ("" if run.log_bytes is None else f", {about_size(run.log_bytes)}"),
    }
    return [f"{name:<11} {words}" for name, words in rows.items() if words]


def _twin_lines(runs: Runs, twin: Twin) -> list[str]:
    rows = {
        "twin": twin.name,
        "title": twin.title if twin.title != twin.name else "",
        "description": twin.description,
        "folder": str(twin.path),
        "phases": " ".join(twin.phases) or "none yet",
        "running": " ".join(run.phase for run in runs.running(twin.name)),
    }
    lines = [f"{name:<11} {words}" for name, words in rows.items() if words]
    try:
        lines += _descriptor_lines(twin)
    except DescriptorInvalid as error:
        lines.append(coloured(f"{'mistake':<11} {error}", "red"))
    latest = runs.latest(twin.name, LATEST)
    return [*lines, *(["", "latest runs"] if latest else []), *(f"  {line_for(run)}" for run in latest)]


def _descriptor_lines(twin: Twin) -> list[str]:
    descriptor = read_descriptor(twin.path)
    lines = [f"{'uses':<11} {use.asset}{f'@{use.version}' if use.version else ''}" for use in descriptor.uses]
    for phase, settings in descriptor.phases.items():
        words = [*settings.arguments]
        words += [f"at most {time_words(settings.time_limit_s)}"] if settings.time_limit_s else []
        words += [f"at most {size_words(settings.memory_limit_bytes)}"] if settings.memory_limit_bytes else []
        lines.append(f"{phase:<11} {' '.join(words)}")
    for parameter in descriptor.parameters.values():
        unit = f" {parameter.unit}" if parameter.unit else ""
        lines.append(
            f"{'parameter':<11} {parameter.name} = {parameter.default}{unit}   {parameter.description}".rstrip()
        )
    return lines


def _twin_as_json(runs: Runs, twin: Twin) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": twin.name,
        "path": str(twin.path),
        "title": twin.title,
        "description": twin.description,
        "phases": list(twin.phases),
        "running": [run.as_json() for run in runs.running(twin.name)],
        "latest": [run.as_json() for run in runs.latest(twin.name, LATEST)],
        "problems": [],
    }
    try:
        descriptor = read_descriptor(twin.path)
    except DescriptorInvalid as error:
        return {**shown, "problems": [problem.as_json() for problem in error.problems]}
    return {
        **shown,
        "parameters": [parameter.as_json() for parameter in descriptor.parameters.values()],
        "uses": [use.as_json(runs.places) for use in descriptor.uses],
        "phase_settings": {phase: settings.as_json() for phase, settings in descriptor.phases.items()},
        "services": [service.as_json() for service in descriptor.services],
        "ports": [port.as_json() for port in descriptor.ports],
        "problems": [problem.as_json() for problem in descriptor.warnings],
    }
