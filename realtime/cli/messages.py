"""`realtime send` and `realtime dead-letters`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO
from urllib.parse import quote

import click

from realtime.cli import client_of
from realtime.cli.options import json_option, model_argument, moment, print_json, print_table
from realtime.errors import MessageRefused


@click.command("send")
@model_argument
@click.argument("instance", required=False)
@click.argument("message", required=False)
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(0, 30, min_open=True),
    help="Seconds to wait for a reply, which is printed.",
)
@click.option("--lines", type=click.File("rb"), help='File of lines {"id": …, "message": {…}}; - is standard input.')
@json_option
@click.pass_context
def send(ctx: click.Context, /, model: str, **given: Any) -> None:
    """Send MESSAGE, a JSON object, to INSTANCE of MODEL; or many, as lines. Returns when they are on the disk.

    The instance is there from its first message on.

    \b
    Examples:
      realtime send WindTurbine turbine-1 '{"temperature_c": 81.5, "rotor_rpm": 12}'
      realtime send WindTurbine turbine-1 '{"temperature_c": 130}' --wait 2
      realtime send WindTurbine --lines readings.ndjson
    """
    if (given["lines"] is None) != bool(given["instance"] and given["message"]):
        raise click.UsageError("Give INSTANCE and MESSAGE, or --lines FILE.")
    if given["lines"] is not None:
        found = _send_lines(ctx, model, given["lines"])
    else:
        body = _read_message(given["message"])
        path = f"models/{model}/instances/{quote(given['instance'], safe='')}/messages"
        found = client_of(ctx).ask("POST", path, body=body, wait_s=given["wait_s"])
    if given["as_json"]:
        print_json(found)
        return
    for reply in found.get("replies", ()):
        click.echo(json.dumps(reply["content"], ensure_ascii=False))
    if not found.get("replies"):
        refused = f", {found['refused']} refused" if found.get("refused") else ""
        click.echo(f"{found['accepted']} accepted{refused}.", err=True)
    for error in found.get("errors", ()):
        reason = error.get("error", {})
        click.echo(
            f"line {error.get('line', '?')}: {reason.get('what', '')} {reason.get('fix', '')}".rstrip(), err=True
        )
    if found.get("refused"):
        ctx.exit(2)


def _read_message(text: str) -> dict[str, Any]:
    try:
        message = json.loads(text if text != "-" else sys.stdin.read())
    except ValueError as error:
        raise MessageRefused(f"The message is no JSON: {error}.", """Write it as '{"ppm": 12}'.""") from None
    if not isinstance(message, dict):
        raise MessageRefused("The message is no JSON object.", """Write it as '{"ppm": 12}'.""")
    return message


def _send_lines(ctx: click.Context, model: str, lines: BinaryIO) -> Any:
    client = client_of(ctx)

    def blocks() -> Iterator[bytes]:
        while block := lines.read(256 * 1024):
            yield block

    address = f"{client.url}/realtime/{quote(client.owner, safe='')}/models/{model}/messages"
    return json.loads(client.send("POST", address, blocks(), {"Content-Type": "application/x-ndjson"}))


@click.command("dead-letters")
@model_argument
@click.option(
    "--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many, the newest first."
)
@json_option
@click.pass_context
def dead_letters(ctx: click.Context, *, model: str, limit: int, as_json: bool) -> None:
    """Show messages that MODEL could not take, with the reason.

    \b
    Example:
      realtime dead-letters WindTurbine
    """
    found = client_of(ctx).ask("GET", f"models/{model}/dead-letters", limit=limit)["dead_letters"]
    if as_json:
        print_json(found)
    elif not found:
        click.echo("There are none.")
    else:
        rows = [(moment(one["time_s"]), one["instance"], one["reason"], one.get("content")) for one in found]
        print_table(("TIME", "INSTANCE", "REASON", "MESSAGE"), rows)
