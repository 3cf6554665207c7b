"""`twinhub backup` and `twinhub restore`."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from twinhub.operate.backup.catalogue import Backup, find_backup, list_backups, list_unreadable
from twinhub.operate.backup.making import Wish, make_backup
from twinhub.operate.backup.restoring import Changes, extract
from twinhub.operate.backup.restoring import restore as restore_backup
from twinhub.operate.backup.verifying import verify
from twinhub.operate.cli.options import json_option, places_of
from twinhub.operate.report import Report
from twinhub.places import Places, default_data_dir
from twinhub.settings import Settings

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group("backup", invoke_without_command=True)
@click.option("--to", type=FOLDER, help="Folder of backups, such as one on another disk.  [default: backup.folder]")
@click.option("--keep", type=click.IntRange(1), help="How many backups stay there.  [default: backup.keep]")
@json_option
@click.pass_context
def backup(ctx: click.Context, to: Path | None, keep: int | None, as_json: bool) -> None:
    """Back up everything that people and the platform have made, while they work.

    Files, homes, accounts, settings, secrets, keys. What was installed with apt is in containers and not in it.
    Only what has changed since the last backup takes room. It holds every secret: keep the disk as safe as the server.

    \b
    Examples: twinhub backup                     into backups/ of the data folder
              twinhub backup --to /mnt/usb/hub   onto another disk
    """
    if ctx.invoked_subcommand is None:
        made = make_backup(places_of(ctx), Report(quiet=as_json), Wish(to=to, keep=keep))
        click.echo(json.dumps(made.as_json()) if as_json else _told(made))


def _told(made: Backup) -> str:
    size = f"{made.entries:,} entries, {made.size_bytes / 1e9:.2f} GB, {made.new_bytes / 1e9:.2f} GB of them new"
    lines = [f"{made.folder}: {size}, in {made.ended - made.began:.1f} s."]
    if made.changed:
        lines += [
            "Changed each time they were copied, so of more than one moment:",
            *(f"  {one}" for one in made.changed),
        ]
    if made.left_out:
        lines += ["Left out:", *(f"  {one}" for one in made.left_out)]
    shown = len(made.changed) + len(made.left_out)
    if made.problems > shown:
        lines.append(f"  and {made.problems - shown} more")
    return "\n".join(lines)


@backup.command("list")
@click.option("--to", "folder", type=FOLDER, help="Folder of backups.  [default: backup.folder]")
@json_option
@click.pass_context
def backup_list(ctx: click.Context, folder: Path | None, as_json: bool) -> None:
    """Show the backups, oldest first."""
    where = folder or places_of(ctx).backups
    found = list_backups(where)
    if as_json:
        click.echo(json.dumps([one.as_json() for one in found]))
    elif not found:
        click.echo(f"There is no backup in {where}. Make one: twinhub backup")
    for one in () if as_json else found:
        when = datetime.fromtimestamp(one.began).astimezone().strftime("%Y-%m-%d %H:%M")
        size = f"{one.size_bytes / 1e9:>8.2f} GB, {one.new_bytes / 1e9:>7.2f} new"
        click.echo(
            f"  {one.name:<26} {when}  {one.kind:<8} {one.entries:>9,} entries {size}  {one.problems} to look at"
        )
    for words in list_unreadable(where):
        click.echo(f"  unreadable: {words}", err=True)


@backup.command("verify")
@click.argument("name", default="latest")
@click.pass_context
def backup_verify(ctx: click.Context, name: str) -> None:
    """Read the backup NAME again and compare every content with its checksum.  [default: the latest]

    NAME may be a path, for a backup on another disk. Exit code 1 when something is damaged, and what.
    """
    found = find_backup(places_of(ctx), name)
    count = verify(found, Report())
    click.echo(f"{found.name} is whole: {found.entries:,} entries with {count:,} different contents.")


@backup.command("extract")
@click.argument("name")
@click.argument("path")
@click.option("--to", "target", type=FOLDER, required=True, help="Folder to make; it must not exist.")
@click.pass_context
def backup_extract(ctx: click.Context, name: str, path: str, target: Path) -> None:
    """Take PATH, a file or folder below the data folder, out of the backup NAME.

    \b
    Example: twinhub backup extract latest files/ada/models --to /tmp/models-of-ada
    """
    found = find_backup(places_of(ctx), name)
    count = extract(found, path, target.absolute(), Report())
    click.echo(f"{target} holds {path} as it was in {found.name}: {count:,} entries.")


@click.command("restore")
@click.argument("name", metavar="BACKUP")
@click.option("--data-dir", "target", type=FOLDER, help="Empty folder for it.  [default: that of 'twinhub --data-dir']")
@click.option("--name", "new_name", help="Name of the installation, where the old one still runs on this machine.")
@click.option("--port", type=int, help="Port of the gateway.")
@click.option("--address", help="Address to listen on.")
@click.option("--domain", help="Host name under which people reach it.")
@click.pass_context
def restore(ctx: click.Context, /, name: str, target: Path | None, new_name: str | None, **options: object) -> None:
    """Restore BACKUP, a path or a name, into an empty folder; then 'twinhub up' there brings the platform back.

    Nothing is restored by half: everything is written aside, compared with its checksum, then put in place at once.
    Workspaces start with fresh containers: what was installed with apt is not in a backup.

    \b
    Example, on another machine:
      twinhub restore /mnt/usb/hub/20261121T030000Z --data-dir /var/lib/twinhub && twinhub up
    """
    folder = Path(target or ctx.obj or default_data_dir()).absolute()
    found = find_backup(Places(Path(ctx.obj or default_data_dir()).absolute(), Settings()), name)
    restore_backup(found, folder, Changes({"name": new_name, **options}), Report())
    click.echo(f"{folder} holds {found.installation} as it was in {found.name}.")
    click.echo(f"Start it: twinhub --data-dir {folder} up")
