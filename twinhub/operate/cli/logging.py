"""`twinhub logs` and `twinhub audit`: what happened."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click

from twinhub.logging import LEVELS
from twinhub.operate.audits import Question, read_deeds
from twinhub.operate.cli.options import json_option, places_of
from twinhub.operate.log_lines import Line, parse_since, safe
from twinhub.operate.logs import Choice, follow, log_names, tail

since_option = click.option("--since", help="Only from then on: 30s, 10m, 2h, 3d, or '2026-11-21 14:00'.")


@click.command("logs")
@click.argument("part", required=False)
@click.option("-n", "--lines", default=50, show_default=True, help="How many of the last lines.")
@click.option("-f", "--follow", "following", is_flag=True, help="Go on showing new lines until interrupted.")
@since_option
@click.option("--level", type=click.Choice(LEVELS), help="Only lines of at least this weight.")
@click.option("--request", default="", help="Only lines of one request, by the X-Request-ID of its answer.")
@click.option("--json", "as_json", is_flag=True, help="Print the lines as they were written.")
@click.pass_context
def logs(ctx: click.Context, /, part: str | None, lines: int, following: bool, as_json: bool, **wanted: Any) -> None:
    """Show what a PART of the platform has logged; without PART, name the parts.

    \b
    Examples: twinhub logs hub --since 10m --level warning
              twinhub logs web --request 5f2c61d0a9b34e77
    """
    places = places_of(ctx)
    if part is None:
        click.echo("\n".join(log_names(places)))
        return
    since = parse_since(wanted["since"]) if wanted["since"] else None
    choice = Choice(since, wanted["level"] or "", wanted["request"])

    def show(line: Line) -> None:
        click.echo(line.raw if as_json else line.as_text())

    for line in tail(places, part, lines, choice):
        show(line)
    if following:
        follow(places, part, show, choice)


@click.command("audit")
@click.option("-n", "--lines", default=100, show_default=True, help="How many of the last deeds.")
@since_option
@click.option("--user", default="", help="Only what this account did, or what was done to it.")
@click.option("--action", default="", help="Only actions that begin so, such as sign_in or workspace.")
@click.option("--refused", is_flag=True, help="Only what was refused.")
@click.option("--no-library", is_flag=True, help="Leave out the library's log of assets.")
@json_option
@click.pass_context
def audit(ctx: click.Context, /, lines: int, since: str | None, as_json: bool, **wanted: Any) -> None:
    """Show who did what, oldest first: sign-ins, accounts, tokens, workspaces, assets, settings, commands.

    \b
    Examples: twinhub audit --since 1d --user ada
              twinhub audit --action sign_in --refused
    """
    begin = parse_since(since).timestamp() if since else 0.0
    question = Question(begin, wanted["user"], wanted["action"], wanted["refused"], not wanted["no_library"])
    for row in read_deeds(places_of(ctx), question, lines):
        click.echo(json.dumps(row) if as_json else _told(row))


def _told(row: dict[str, Any]) -> str:
    when = datetime.fromtimestamp(row["time"]).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    mark = " " if row.get("ok", True) else "✗"
    about = [str(row[key]) for key in ("about", "detail") if row.get(key)]
    if row.get("address"):
        about.append(f"from {row['address']}")
    return safe(f"{when} {mark} {row.get('user', '-'):<20} {row.get('action', ''):<18} {', '.join(about)}".rstrip())
