"""`twinhub user`: people's accounts."""

from __future__ import annotations

import json
import re
from typing import Any

import click

from twinhub.operate import accounts
from twinhub.operate.cli.options import json_option, places_of
from twinhub.operate.passwords import keep_password, obtain_password
from twinhub.secrets import write_secret

HOURS = {"h": 1, "d": 24, "w": 7 * 24}


class Duration(click.ParamType[int]):
    """A time as `12h`, `30d` or `4w`, in hours."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([1-9][0-9]{0,3})([hdw])", str(value))
        if found is None:
            self.fail(f"{value!r} is not a time. Write it as 12h, 30d or 4w.", param, ctx)
        return int(found[1]) * HOURS[found[2]]


@click.group("user")
def user() -> None:
    """Manage people's accounts."""


@user.command("list")
@click.option("--removed", is_flag=True, help="Show removed accounts whose files are kept.")
@json_option
@click.pass_context
def user_list(ctx: click.Context, removed: bool, as_json: bool) -> None:
    """Show who has an account and who waits to be admitted."""
    everything = accounts.list_everything(places_of(ctx))
    people = everything["removed" if removed else "accounts"]
    if as_json:
        click.echo(json.dumps(people))
        return
    for person in people:
        if removed:
            click.echo(f"  {person['name']:<24} removed {person['removed_at']}")
            continue
        role = "admin" if person["admin"] else ("user" if person["admitted"] else "waits to be admitted")
        click.echo(
            f"  {person['name']:<24} {role:<22} workspace {person['workspace']:<10} {person['last_activity']}".rstrip()
        )


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
    accounts.act(places, "add", username=name, password=password, admin="yes" if admin else "")
    keep_password(password, where)
    click.echo(f"{name} can sign in at {places.origin}" + (f"; the password is in {where}" if where else "."))


@user.command("password")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.pass_context
def user_password(ctx: click.Context, name: str, password_stdin: bool) -> None:
    """Give NAME a new password; they are signed out everywhere."""
    places = places_of(ctx)
    password, where = obtain_password(places, name, from_stdin=password_stdin)
    accounts.act(places, "password", username=name, password=password)
    keep_password(password, where)
    click.echo(f"{name} has a new password" + (f"; it is in {where}" if where else "."))


def _simple(verb: str, action: str, words: str) -> None:
    @user.command(verb, help=words)
    @click.argument("name")
    @click.pass_context
    def command(ctx: click.Context, name: str) -> None:
        click.echo(accounts.act(places_of(ctx), action, username=name)[0])


_simple("admit", "admit", "Let NAME in, who asked for an account.")
_simple("promote", "promote", "Make NAME an administrator.")
_simple("demote", "demote", "Make the administrator NAME an ordinary user.")
_simple("sign-out", "sign-out", "End every session of NAME in browsers; tokens for programs stay.")
_simple("restore", "restore", "Bring the removed account NAME back, with its files, groups and password.")


@user.command("link")
@click.argument("name")
@click.argument("subject")
@click.pass_context
def user_link(ctx: click.Context, name: str, subject: str) -> None:
    """Let the person whom the provider of sign-in calls SUBJECT sign in as NAME.

    SUBJECT is the provider's lasting identifier (the claim 'sub'); the refusal that the person sees names it.
    """
    click.echo(accounts.act(places_of(ctx), "link", username=name, subject=subject)[0])


@user.command("remove")
@click.argument("name")
@click.confirmation_option(
    prompt="Their workspace is stopped, its container and their tokens go; files stay and the account can be restored. "
    "Go on?"
)
@click.pass_context
def user_remove(ctx: click.Context, name: str) -> None:
    """Remove the account NAME; its files are kept, and 'twinhub user restore NAME' brings it back."""
    accounts.act(places_of(ctx), "remove", username=name)
    click.echo(f"The account {name} is gone. Its files are kept: 'twinhub user restore {name}' brings it back.")


@user.command("purge")
@click.argument("name")
@click.confirmation_option(prompt="Their files are deleted for good. Go on?")
@click.pass_context
def user_purge(ctx: click.Context, name: str) -> None:
    """Delete the files of the removed account NAME for good; only then can somebody else have the name."""
    click.echo(f"The files are gone. {accounts.purge(places_of(ctx), name)}")


@user.command("invite")
@click.option("--note", default="", help="Whom it is for, to be told apart in the list.")
@click.option("--groups", default="", help="Groups that the new accounts belong to, separated by commas.")
@click.option("--admin", is_flag=True, help="Make them administrators.")
@click.option("--uses", default=1, show_default=True, type=click.IntRange(1, 500), help="How many people may use it.")
@click.option("--expires", default="3d", show_default=True, type=Duration(), help="How long it holds: 12h, 3d, 2w.")
@click.pass_context
def user_invite(ctx: click.Context, *, note: str, groups: str, admin: bool, uses: int, expires: int) -> None:
    """Print a link with which people make accounts for themselves; it is shown only now."""
    wish = {"note": note, "groups": groups, "admin": "yes" if admin else "", "uses": str(uses), "hours": str(expires)}
    click.echo(accounts.act(places_of(ctx), "invite", **wish)[1])


@user.command("invitations")
@json_option
@click.pass_context
def user_invitations(ctx: click.Context, as_json: bool) -> None:
    """Show the invitations that can still be used."""
    found = accounts.list_everything(places_of(ctx))["invitations"]
    if as_json:
        click.echo(json.dumps(found))
        return
    for one in found:
        role = "admin" if one["admin"] else "user"
        click.echo(
            f"  {one['id']:<5} {one['uses_left']} left, until {one['expires_at']}  {role:<6} {one['note']}".rstrip()
        )


@user.command("uninvite")
@click.argument("number", type=click.IntRange(min=1))
@click.pass_context
def user_uninvite(ctx: click.Context, number: int) -> None:
    """Take the invitation NUMBER back."""
    click.echo(accounts.act(places_of(ctx), "uninvite", invitation=str(number))[0])


# --- programs ---------------------------------------------------------------------


@click.group("service")
def service() -> None:
    """Manage service accounts: accounts of programs, which have no password and only use tokens."""


def _token_options(command: Any) -> Any:
    access = click.Choice(["library-read", "library-write", "everything"])
    for option in (
        click.option("--print", "on_screen", is_flag=True, help="Print the token instead of writing it to a file."),
        click.option(
            "--expires", default="90d", show_default=True, type=Duration(), help="When the token ends: 30d, 4w."
        ),
        click.option("--scope", default="library-read", show_default=True, type=access, help="What the token may do."),
    ):
        command = option(command)
    return command


@service.command("add")
@click.argument("name")
@click.option("--note", default="", help="What the program is for.")
@_token_options
@click.pass_context
def service_add(ctx: click.Context, name: str, *, note: str, scope: str, expires: int, on_screen: bool) -> None:
    """Make the service account NAME and its token, in a file of mode 0600 below secrets/."""
    wish = {"username": name, "note": note, "access": scope, "hours": str(expires)}
    _deliver(ctx, name, accounts.act(places_of(ctx), "service-add", **wish)[1], on_screen)


@service.command("token")
@click.argument("name")
@_token_options
@click.pass_context
def service_token(ctx: click.Context, name: str, scope: str, expires: int, on_screen: bool) -> None:
    """Replace the tokens of NAME by a new one; those before stop working at once."""
    wish = {"username": name, "access": scope, "hours": str(expires)}
    _deliver(ctx, name, accounts.act(places_of(ctx), "service-token", **wish)[1], on_screen)


def _deliver(ctx: click.Context, name: str, token: str, on_screen: bool) -> None:
    if on_screen:
        click.echo(token)
        return
    file = places_of(ctx).secrets / f"service-{name}"
    write_secret(file, token)
    click.echo(f"The token of {name} is in {file}")


@service.command("list")
@json_option
@click.pass_context
def service_list(ctx: click.Context, as_json: bool) -> None:
    """Show the service accounts and their tokens."""
    found = accounts.list_everything(places_of(ctx))["services"]
    if as_json:
        click.echo(json.dumps(found))
        return
    for one in found:
        click.echo(f"  {one['name']:<24} {one['note']}".rstrip())
        for token in one["tokens"]:
            click.echo(f"    {token['access']}; ends {token['expires']}; last used {token['last_used'] or 'never'}")


@service.command("remove")
@click.argument("name")
@click.confirmation_option(prompt="Its tokens stop working; its files stay. Go on?")
@click.pass_context
def service_remove(ctx: click.Context, name: str) -> None:
    """Remove the service account NAME."""
    places = places_of(ctx)
    click.echo(accounts.act(places, "service-remove", username=name)[0])
    (places.secrets / f"service-{name}").unlink(missing_ok=True)
