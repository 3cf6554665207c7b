"""The operator's command: `twinhub NOUN VERB`."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import click

from twinhub.errors import PublicError
from twinhub.operate import accounts, bringup, doctor, install
from twinhub.operate.health import wait_until_healthy
from twinhub.operate.logs import follow, log_names, tail
from twinhub.operate.passwords import keep_password, obtain_password
from twinhub.operate.report import Report
from twinhub.operate.supervisor import Supervisor
from twinhub.places import Places, default_data_dir, read_places
from twinhub.settings import FILE_NAME, example

EPILOG = "Exit codes: 0 done; 1 refused or failed, with the reason and the remedy; 2 wrong usage."


class PublicErrorGroup(click.Group):
    """Turn a PublicError into one line and exit code 1; anything else is our bug and shows itself."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PublicError as error:
            click.echo(f"twinhub: {error.what} {error.fix}".rstrip(), err=True)
            ctx.exit(1)


def _places(ctx: click.Context) -> Places:
    return read_places(ctx.obj)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


@click.group(cls=PublicErrorGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="TWINHUB_DATA_DIR",
    help="Folder of the installation. [default: /var/lib/twinhub, or ./.twinhub for others than root]",
)
@click.version_option(package_name="twinhub")
@click.pass_context
def main(ctx: click.Context, data_dir: Path | None) -> None:
    """Operate a Twinhub platform: start and stop it, look after it, manage its people."""
    ctx.obj = data_dir


@main.command("up")
@click.pass_context
def up(ctx: click.Context) -> None:
    """Start what does not run, apply changed settings, wait until all is well.

    Run it as often as you like: what is right already is left alone.
    """
    places = _places(ctx)
    touched = bringup.bring_up(places, Report())
    click.echo(f"Touched: {', '.join(touched)}." if touched else "Nothing had to be changed.")
    click.echo(f"Twinhub is up at {places.origin}")


@main.command("down")
@click.option("--workspaces", is_flag=True, help="Stop people's workspaces too; otherwise they and their twins go on.")
@click.pass_context
def down(ctx: click.Context, workspaces: bool) -> None:
    """Stop the platform's processes."""
    bringup.take_down(_places(ctx), Report(), workspaces=workspaces)
    click.echo(
        "Twinhub is down." + ("" if workspaces else " Workspaces that ran still run: 'twinhub up' finds them again.")
    )


@main.command("restart")
@click.argument("part")
@click.pass_context
def restart(ctx: click.Context, part: str) -> None:
    """Restart one PART of the platform, such as hub; workspaces go on.

    \b
    Example: twinhub restart hub
    """
    places = _places(ctx)
    Supervisor(places).restart(part)
    wait_until_healthy(places, Report(quiet=True))
    click.echo(f"{part} is restarted.")


@main.command("status")
@json_option
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Show the processes; exit code 1 when one of them does not run."""
    places = _places(ctx)
    states = Supervisor(places).states()
    if as_json:
        click.echo(json.dumps({"address": places.origin, "processes": [dataclasses.asdict(row) for row in states]}))
    else:
        click.echo(f"{places.origin}  data in {places.data_dir}")
        for row in states:
            click.echo(f"  {row.name:<10} {row.state.lower():<10} pid {row.pid or '-':<8} up {row.up_s} s")
    if any(row.state != "RUNNING" for row in states):
        ctx.exit(1)


@main.command("doctor")
@json_option
@click.pass_context
def doctor_command(ctx: click.Context, as_json: bool) -> None:
    """Check engine, ports, disk, image, certificates, processes; say what to do about each."""
    findings = doctor.diagnose(_places(ctx))
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            click.echo(f"  {'✓' if finding.ok else '✗'}  {finding.name:<13} {finding.what} {finding.fix}".rstrip())
    if not all(finding.ok for finding in findings):
        ctx.exit(1)


@main.command("logs")
@click.argument("part", required=False)
@click.option("-n", "--lines", default=50, show_default=True, help="How many of the last lines.")
@click.option("-f", "--follow", "following", is_flag=True, help="Go on showing new lines until interrupted.")
@click.pass_context
def logs(ctx: click.Context, part: str | None, lines: int, following: bool) -> None:
    """Show what a PART of the platform has logged; without PART, name the parts."""
    places = _places(ctx)
    if part is None:
        click.echo("\n".join(log_names(places)))
        return
    click.echo(tail(places, part, lines), nl=False)
    if following:
        follow(places, part, click.echo)


@main.group("user")
def user() -> None:
    """Manage people's accounts."""


@user.command("list")
@json_option
@click.pass_context
def user_list(ctx: click.Context, as_json: bool) -> None:
    """Show who has an account and who waits to be admitted."""
    people = accounts.list_people(_places(ctx))
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
    places = _places(ctx)
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
    places = _places(ctx)
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
    accounts.remove_person(_places(ctx), name)
    click.echo(f"The account {name} is gone.")


@main.group("config")
def config() -> None:
    """Show what can be configured."""


@config.command("example")
def config_example() -> None:
    """Print every key with its default and meaning, as a twinhub.yaml."""
    click.echo(example(), nl=False)


@main.command("install")
@click.option("--port", type=int, help="Port of the gateway.  [default: 8000]")
@click.option("--address", help="Address to listen on.  [default: 0.0.0.0]")
@click.option("--domain", help="Host name under which people reach the platform.")
@click.option("--name", help="Name of this installation, when a machine has several.  [default: twinhub]")
@click.option("--admin", help="Name of the first administrator.  [default: admin]")
@click.option(
    "--ca-bundle", type=click.Path(path_type=Path), help="PEM file of authorities to trust, where a proxy inspects TLS."
)
@click.pass_context
def install_command(ctx: click.Context, /, **options: Any) -> None:
    """Write settings and start everything; install.sh calls this."""
    folder = Path(ctx.obj or default_data_dir()).absolute()
    if options["ca_bundle"] is not None:
        options["ca_bundle"] = str(options["ca_bundle"].absolute())
    options["accounts.admin"] = options.pop("admin")
    install.write_settings(folder / FILE_NAME, options)
    places = _places(ctx)
    install.install(places, Report())
    click.echo("\n".join(install.summary(places)))


@main.command("uninstall")
@click.option("--purge", is_flag=True, help="Delete people's files, homes and accounts too. This cannot be undone.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def uninstall_command(ctx: click.Context, purge: bool, yes: bool) -> None:
    """Stop everything and remove what install.sh made on this machine.

    Keeps what people made (files, homes, accounts, settings) unless --purge is given.
    """
    places = _places(ctx)
    if not yes:
        what = "EVERYTHING, people's files included," if purge else "the platform, but not people's files,"
        click.confirm(f"Remove {what} in {places.data_dir}?", abort=True)
    install.uninstall(places, Report(), purge=purge)
    click.echo("Twinhub is gone." if purge else f"Twinhub is gone. What people made is still in {places.data_dir}")


@main.command("supervise", hidden=True)
@click.pass_context
def supervise(ctx: click.Context) -> None:
    """Become supervisord in the foreground, as the systemd unit does."""
    command = Supervisor(_places(ctx)).command
    os.execv(command[0], command)  # noqa: S606 - our own interpreter, our own arguments


if __name__ == "__main__":
    main()
