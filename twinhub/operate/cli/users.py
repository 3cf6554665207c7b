"""`twinhub user`: people's accounts."""

from __future__ import annotations

import dataclasses
import json

import click

from twinhub.operate import accounts
from twinhub.operate.cli.options import json_option, places_of
from twinhub.operate.passwords import keep_password, obtain_password


@click.group("user")
def user() -> None:
    """Manage people's accounts."""


@user.command("list")
@json_option
@click.pass_context
def user_list(ctx: click.Context, as_json: bool) -> None:
    """Show who has an account and who waits to be admitted."""
    people = accounts.list_people(places_of(ctx))
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(person) for person in people]))
        return
    for person in people:
        role = "admin" if person.admin else ("user" if person.admitted else "waits to be admitted")
        click.echo(f"  {person.name:<24} {role:<22} workspace {person.workspace:<10} {person.last_activity}")


@user.command("add")
@click.argument("name")
@click.option("--admin", is_flag=True, help="Make them an administrator.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.pass_context
def user_add(ctx: click.Context, name: str, admin: bool, password_stdin: bool) -> None:
    """Make an account for NAME that may sign in at once.

    Asks for a password at a terminal; otherwise makes one and says which file holds it.
    """
    places = places_of(ctx)
    password, where = obtain_password(places, name, from_stdin=password_stdin)
    accounts.add_person(places, name, password, admin=admin)
    keep_password(password, where)
    click.echo(f"{name} can sign in at {places.origin}" + (f"; the password is in {where}" if where else "."))


@user.command("password")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.pass_context
def user_password(ctx: click.Context, name: str, password_stdin: bool) -> None:
    """Give NAME a new password."""
    places = places_of(ctx)
    password, where = obtain_password(places, name, from_stdin=password_stdin)
    accounts.set_password(places, name, password)
    keep_password(password, where)
    click.echo(f"{name} has a new password" + (f"; it is in {where}" if where else "."))


@user.command("remove")
@click.argument("name")
@click.confirmation_option(prompt="Their workspace is stopped and the account deleted; their files stay. Go on?")
@click.pass_context
def user_remove(ctx: click.Context, name: str) -> None:
    """Delete the account NAME; their files stay under <data-dir>/files."""
    accounts.remove_person(places_of(ctx), name)
    click.echo(f"The account {name} is gone.")
