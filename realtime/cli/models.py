"""Commands about models as a whole."""

from __future__ import annotations

from typing import Any

import click

from realtime.cli import client_of
from realtime.cli.options import json_option, model_argument, moment, print_json, print_table


@click.command("list")
@click.option("--removed", is_flag=True, help="Show those that were removed, and can be restored.")
@json_option
@click.pass_context
def list_models(ctx: click.Context, *, removed: bool, as_json: bool) -> None:
    """Show your models and how they are.

    \b
    Example:
      realtime list
    """
    found = client_of(ctx).ask("GET", "models")["models"]
    wanted = [one for one in found if (one.get("removed_at") is not None) == removed]
    if as_json:
        print_json(wanted)
    elif not wanted:
        click.echo("There are none. Deploy one: realtime deploy FILE" if not removed else "None was removed.")
    else:
        rows = [
            (
                one["name"],
                one["version"],
                one.get("state"),
                one.get("instances"),
                f"{one.get('rate') or 0:.0f}/s",
                one.get("reason") or "",
            )
            for one in wanted
        ]
        print_table(("MODEL", "VERSION", "STATE", "INSTANCES", "MESSAGES", ""), rows)


@click.command("show")
@model_argument
@json_option
@click.pass_context
def show(ctx: click.Context, *, model: str, as_json: bool) -> None:
    """Show MODEL: how it runs, its fields and messages.

    \b
    Example:
      realtime show WindTurbine
    """
    found = client_of(ctx).ask("GET", f"models/{model}")
    if as_json:
        print_json(found)
        return
    words = found.get("reason") or ""
    click.echo(f"{found['name']}  version {found['version']}  {found.get('state', '')}  {words}".rstrip())
    click.echo(
        f"instances {found.get('instances', 0):,}  messages {found.get('rate') or 0:.0f}/s  waiting {found.get('lag', 0):,}"
    )
    schema = found.get("schema") or {}
    _print_fields("State", schema.get("fields"))
    for message in _listed(schema.get("messages")):
        _print_fields(f"Message {message.get('name', '')}", message.get("fields"))


def _listed(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [{"name": name, **(one if isinstance(one, dict) else {})} for name, one in value.items()]
    return [one for one in value or () if isinstance(one, dict)]


def _type(schema: Any) -> str:
    """Put a JSON schema's type into a word or two."""
    if not isinstance(schema, dict):
        return str(schema)
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    return str(schema.get("type", "any"))


def _print_fields(title: str, fields: Any) -> None:
    rows = [
        (one.get("name"), _type(one.get("type")), one.get("unit") or "", one.get("default")) for one in _listed(fields)
    ]
    if rows:
        click.echo(f"\n{title}")
        print_table(("FIELD", "TYPE", "UNIT", "DEFAULT"), rows)


@click.command("versions")
@model_argument
@json_option
@click.pass_context
def versions(ctx: click.Context, *, model: str, as_json: bool) -> None:
    """Show the versions of MODEL; the one that runs is marked.

    \b
    Example:
      realtime versions WindTurbine
    """
    found = client_of(ctx).ask("GET", f"models/{model}")
    if as_json:
        print_json(found["versions"])
        return
    rows = [
        (
            "*" if one["version"] == found["version"] else "",
            one["version"],
            moment(one.get("deployed_at")),
            one.get("note"),
        )
        for one in found["versions"]
    ]
    print_table(("", "VERSION", "DEPLOYED", "NOTE"), rows)


@click.command("rollback")
@model_argument
@click.argument("version", type=click.IntRange(min=1))
@json_option
@click.pass_context
def rollback(ctx: click.Context, *, model: str, version: int, as_json: bool) -> None:
    """Have MODEL run an earlier VERSION again; its instances keep the state they have.

    \b
    Example:
      realtime rollback WindTurbine 3
    """
    found = client_of(ctx).ask("POST", f"models/{model}/rollback", body={"version": version})
    _done(found, f"{model} runs from now on in version {version}.", as_json=as_json)


def _done(found: Any, words: str, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        click.echo(words)


@click.command("enable")
@model_argument
@json_option
@click.pass_context
def enable(ctx: click.Context, *, model: str, as_json: bool) -> None:
    """Let MODEL take messages and run.

    \b
    Example:
      realtime enable WindTurbine
    """
    _done(client_of(ctx).ask("POST", f"models/{model}/enable"), f"{model} runs from now on.", as_json=as_json)


@click.command("disable")
@model_argument
@json_option
@click.pass_context
def disable(ctx: click.Context, *, model: str, as_json: bool) -> None:
    """Have MODEL rest: it takes no messages, its states stay.

    \b
    Example:
      realtime disable WindTurbine
    """
    words = f"{model} rests. Its states stay; 'realtime enable {model}' wakes it."
    _done(client_of(ctx).ask("POST", f"models/{model}/disable"), words, as_json=as_json)


@click.command("remove")
@model_argument
@click.confirmation_option("--yes", prompt="It stops, and is deleted with all its instances after some days. Go on?")
@json_option
@click.pass_context
def remove(ctx: click.Context, *, model: str, as_json: bool) -> None:
    """Remove MODEL with its instances; it can be restored for some days.

    \b
    Example:
      realtime remove WindTurbine --yes
    """
    words = f"{model} is removed. Until it is deleted for good: realtime restore {model}"
    _done(client_of(ctx).ask("DELETE", f"models/{model}"), words, as_json=as_json)


@click.command("restore")
@model_argument
@json_option
@click.pass_context
def restore(ctx: click.Context, *, model: str, as_json: bool) -> None:
    """Bring a removed MODEL back, with its instances as they were.

    \b
    Example:
      realtime restore WindTurbine
    """
    _done(client_of(ctx).ask("POST", f"models/{model}/restore"), f"{model} is back.", as_json=as_json)
