"""Start, stop and look at the platform."""

from __future__ import annotations

import dataclasses
import json

import click

from twinhub.operate import bringup, doctor
from twinhub.operate.checks import Finding
from twinhub.operate.cli.options import json_option, places_of
from twinhub.operate.health import wait_until_healthy
from twinhub.operate.report import Report
from twinhub.operate.supervisor import Supervisor


@click.command("up")
@click.pass_context
def up(ctx: click.Context) -> None:
    """Start what does not run, apply changed settings, wait until all is well.

    Run it as often as you like: what is right already is left alone.
    """
    places = places_of(ctx)
    touched = bringup.bring_up(places, Report())
    click.echo(f"Touched: {', '.join(touched)}." if touched else "Nothing had to be changed.")
    click.echo(f"Twinhub is up at {places.origin}")


@click.command("down")
@click.option("--workspaces", is_flag=True, help="Stop people's workspaces too; otherwise they and their twins go on.")
@click.pass_context
def down(ctx: click.Context, workspaces: bool) -> None:
    """Stop the platform's processes."""
    bringup.take_down(places_of(ctx), Report(), workspaces=workspaces)
    click.echo(
        "Twinhub is down." + ("" if workspaces else " Workspaces that ran still run: 'twinhub up' finds them again.")
    )


@click.command("restart")
@click.argument("part")
@click.pass_context
def restart(ctx: click.Context, part: str) -> None:
    """Restart one PART of the platform, such as hub; workspaces go on.

    \b
    Example: twinhub restart hub
    """
    places = places_of(ctx)
    Supervisor(places).restart(part)
    wait_until_healthy(places, Report(quiet=True))
    click.echo(f"{part} is restarted.")


@click.command("status")
@json_option
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Show the processes; exit code 1 when one of them does not run."""
    places = places_of(ctx)
    states = Supervisor(places).states()
    if as_json:
        click.echo(json.dumps({"address": places.origin, "processes": [dataclasses.asdict(row) for row in states]}))
    else:
        click.echo(f"{places.origin}  data in {places.data_dir}")
        for row in states:
            click.echo(f"  {row.name:<12} {row.word:<10} pid {row.pid or '-':<8} up {row.up_s} s")
    if not all(row.well for row in states):
        ctx.exit(1)


@click.command("doctor")
@click.option("--strict", is_flag=True, help="Exit with 1 also for an unmet demand of the security posture.")
@json_option
@click.pass_context
def doctor_command(ctx: click.Context, as_json: bool, strict: bool) -> None:
    """Check engine, ports, disk, image, certificates, processes; say what to do about each.

    The security posture below lists what a server for many people should have, and what each demand that is not met
    means. A trial need not meet them, so they leave the exit code alone unless --strict is given.
    """
    findings, posture = doctor.diagnose(places_of(ctx)), doctor.examine_posture(places_of(ctx))
    if as_json:
        sections = {"health": findings, "posture": posture}
        click.echo(
            json.dumps(
                [{**dataclasses.asdict(one), "section": name} for name, found in sections.items() for one in found]
            )
        )
    else:
        _tell(findings, "✗")
        unmet = sum(not demand.ok for demand in posture)
        click.echo(
            f"\nSecurity posture: {unmet} of {len(posture)} demands are not met" if unmet else "\nSecurity posture"
        )
        _tell(posture, "!")
    if not all(finding.ok for finding in (*findings, *(posture if strict else ()))):
        ctx.exit(1)


def _tell(findings: list[Finding], mark: str) -> None:
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        click.echo(f"  {'✓' if finding.ok else mark}  {finding.name:<{width}}  {finding.what}")
        if finding.fix:
            click.echo(f"     {'':<{width}}  → {finding.fix}")
