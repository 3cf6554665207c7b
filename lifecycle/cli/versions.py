"""`twin versions`."""

from __future__ import annotations

import json
import sys

import click

from lifecycle.cli.history import local_time
from lifecycle.cli.options import json_option, twin_argument
from lifecycle.errors import BadRequest
from lifecycle.places import Places, read_places
from lifecycle.state.differences import compare_versions
from lifecycle.state.versions import go_back, list_versions
from lifecycle.state.words import shown


@click.command("versions")
@twin_argument
@click.argument("other", required=False, type=int)
@click.option("--compare", type=int, metavar="A", help="Show what changed from version A to now, or to OTHER.")
@click.option("--back", type=int, metavar="N", help="Make version N the present configuration.")
@json_option
def versions_command(name: str, other: int | None, compare: int | None, back: int | None, as_json: bool) -> None:
    """Show the kept configurations of the twin NAME, newest first.

    \b
    Examples:
      twin versions tank
      twin versions tank --compare 1      from version 1 to the present
      twin versions tank --compare 1 3    from version 1 to version 3
      twin versions tank --back 1         the present becomes a version first

    With --compare, exit code 1 says that there are differences.
    """
    places = read_places()
    if other is not None and compare is None:
        raise BadRequest(f"{other} is only of use with --compare.", "See: twin versions --help")
    if back is not None:
        before = go_back(places, name, back)
        click.echo(f"{name}: as in version {back}; undo: twin versions '{name}' --back {before.number}", err=True)
    if compare is not None:
        _show_differences(places, name, (compare, other), as_json=as_json)
    elif back is None or as_json:
        _show_versions(places, name, as_json=as_json)


def _show_differences(places: Places, name: str, numbers: tuple[int, int | None], *, as_json: bool) -> None:
    changes = compare_versions(places, name, *numbers)
    if as_json:
        click.echo(json.dumps({"files": [change.as_json() for change in changes]}))
    for change in changes if not as_json else ():
        click.echo(f"{change.change} {shown(change.path)}")
        click.echo(change.diff, nl=not change.diff.endswith("\n"))
    sys.exit(1 if changes else 0)


def _show_versions(places: Places, name: str, *, as_json: bool) -> None:
    found = list_versions(places, name)
    if as_json:
        click.echo(json.dumps([version.as_json() for version in found]))
        return
    if not found:
        click.echo(f"No versions yet. 'twin evolve {name}' keeps the configuration as version 1.")
    for version in found:
        when = local_time(version.created)
        click.echo(f"{version.number:>4}  {when}  {version.files:>4} files  {version.reason}".rstrip())
