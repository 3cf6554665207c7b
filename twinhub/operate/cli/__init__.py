"""The operator's command: `twinhub NOUN VERB`."""

from __future__ import annotations

from pathlib import Path

import click

from twinhub.operate.cli import (
    backups,
    configuring,
    images,
    installing,
    logging,
    running,
    scaletesting,
    tls,
    upgrading,
    users,
)
from twinhub.operate.cli.options import EPILOG, PublicErrorGroup


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


for command in (
    running.up,
    running.down,
    running.restart,
    running.status,
    running.doctor_command,
    logging.logs,
    logging.audit,
    users.user,
    backups.backup,
    backups.restore,
    users.service,
    configuring.config,
    tls.tls,
    images.image,
    installing.install_command,
    installing.uninstall_command,
    installing.supervise,
    upgrading.upgrade,
    scaletesting.scaletest,
):
    main.add_command(command)
