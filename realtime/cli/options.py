"""Options, arguments and ways of printing that several commands share."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click
from click.shell_completion import CompletionItem

from realtime.cli.client import make_client
from realtime.errors import RealtimeError

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def _complete_model(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    try:
        client = make_client(os.environ.get("REALTIME_URL"), None, None)
        names = [one["name"] for one in client.ask("GET", "models")["models"]]
    except (RealtimeError, KeyError, TypeError):
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


model_argument = click.argument("model", shell_complete=_complete_model)


def print_json(content: Any) -> None:
    """Print what a program reads."""
    click.echo(json.dumps(content, ensure_ascii=False))


def print_table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows below heads, in columns."""
    lines = [[_cell(value) for value in row] for row in (heads, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # What devices send must not move the cursor of whoever looks at it.
    plain = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
    return plain if len(plain) <= 60 else plain[:59] + "…"


def moment(seconds: float | None) -> str:
    """Give a time as people read it, in their own zone."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S") if seconds else "-"
