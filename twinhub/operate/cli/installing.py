"""Install, uninstall, and run under an init system."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import click

from twinhub.operate import install
from twinhub.operate.cli.options import places_of
from twinhub.operate.report import Report
from twinhub.operate.supervisor import Supervisor
from twinhub.operate.versions import own_command
from twinhub.places import Places, default_data_dir
from twinhub.settings import FILE_NAME, Settings

KEYS: Final = {
    "admin": "accounts.admin",
    "tls": "gateway.tls",
    "tls_certificate": "gateway.certificate",
    "tls_key": "gateway.certificate_key",
    "acme_email": "gateway.acme_email",
}
"""Settings of options that are named shorter."""


@click.command("install")
@click.option("--port", type=int, help="Port of the gateway.  [default: 8000]")
@click.option("--address", help="Address to listen on.  [default: 0.0.0.0]")
@click.option("--domain", help="Host name under which people reach the platform.")
@click.option("--name", help="Name of this installation, when a machine has several.  [default: twinhub]")
@click.option("--admin", help="Name of the first administrator.  [default: admin]")
@click.option(
    "--ca-bundle", type=click.Path(path_type=Path), help="PEM file of authorities to trust, where a proxy inspects TLS."
)
@click.option("--taking-over", is_flag=True, hidden=True, help="The version before looks after this.")
@click.option("--tls", type=click.Choice(["off", "files", "acme", "local"]), help="Encryption.  [default: off]")
@click.option(
    "--tls-certificate", type=click.Path(path_type=Path, dir_okay=False), help="For 'files': PEM file, chain included."
)
@click.option("--tls-key", type=click.Path(path_type=Path, dir_okay=False), help="For 'files': PEM file of its key.")
@click.option("--acme-email", help="For 'acme': where the authority writes about expiry.")
@click.pass_context
def install_command(ctx: click.Context, /, taking_over: bool, **options: Any) -> None:
    """Write settings and start everything; install.sh calls this.

    Where another version runs, that one looks after the change, and goes on when this one does not become healthy.
    """
    folder = Path(ctx.obj or default_data_dir()).absolute()
    if not taking_over:
        _hand_to_version_in_charge(folder, options)
    for key in ("ca_bundle", "tls_certificate", "tls_key"):
        if options[key] is not None:
            options[key] = str(options[key].absolute())
    for option, key in KEYS.items():
        options[key] = options.pop(option)
    install.write_settings(folder / FILE_NAME, options)
    places = places_of(ctx)
    install.install(places, Report(), taking_over=taking_over)
    click.echo("\n".join(install.summary(places)))


def _hand_to_version_in_charge(folder: Path, options: dict[str, Any]) -> None:
    command = install.version_in_charge(Places(folder, Settings()))
    if command:
        given = [f"--{name.replace('_', '-')}={value}" for name, value in options.items() if value is not None]
        words = [command, "--data-dir", str(folder), "upgrade", "--to", own_command(), "--", *given]
        os.execv(command, words)  # noqa: S606 - our own command, our own arguments


@click.command("uninstall")
@click.option("--purge", is_flag=True, help="Delete people's files, homes and accounts too. This cannot be undone.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def uninstall_command(ctx: click.Context, purge: bool, yes: bool) -> None:
    """Stop everything and remove what install.sh made on this machine.

    Keeps what people made (files, homes, accounts, settings) unless --purge is given.
    """
    places = places_of(ctx)
    if not yes:
        what = "EVERYTHING, people's files included," if purge else "the platform, but not people's files,"
        click.confirm(f"Remove {what} in {places.data_dir}?", abort=True)
    install.uninstall(places, Report(), purge=purge)
    click.echo("Twinhub is gone." if purge else f"Twinhub is gone. What people made is still in {places.data_dir}")


@click.command("supervise", hidden=True)
@click.pass_context
def supervise(ctx: click.Context) -> None:
    """Become supervisord in the foreground, as the systemd unit does."""
    command = Supervisor(places_of(ctx)).command
    os.execv(command[0], command)  # noqa: S606 - our own interpreter, our own arguments
