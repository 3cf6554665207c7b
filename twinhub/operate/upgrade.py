"""Another version of the code takes over, or everything stays as it was.

The version that runs does this: it has proved itself, and the new one has not.
It keeps accounts, settings and secrets, has the new one install itself, and
puts everything back when that does not become healthy.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from twinhub.errors import PublicError
from twinhub.operate import bringup, hub_database
from twinhub.operate.backup.catalogue import Backup, find_backup
from twinhub.operate.backup.making import Wish, make_backup
from twinhub.operate.backup.restoring import write_tree
from twinhub.operate.report import Report
from twinhub.operate.supervisor import Supervisor
from twinhub.operate.versions import Versions, own_command, read_versions, remove_others, runnable, write_versions
from twinhub.places import Places, read_places
from twinhub.settings import FILE_NAME

TAKING_OVER: Final = "--taking-over"
"""Option of `install`: the version before looks after this; every later version has to understand it."""


class UpgradeFailed(PublicError):
    """The new version did not become healthy; the one before runs again."""

    code = "upgrade_failed"
    status = 500


class NoOtherVersion(PublicError):
    """There is no version to change to."""

    code = "no_other_version"
    status = 404


def _outlive_connection() -> None:
    """Whoever loses the connection to the server must not leave it between two versions."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def _keep(places: Places) -> Backup:
    """Keep accounts, settings and secrets; what the last change of versions kept stays too."""
    noted = read_versions(places)
    wish = Wish(only_accounts=True, pinned=noted.backup if noted else "")
    return make_backup(places, Report(quiet=True), wish)


def take_over(
    places: Places, command: str, options: tuple[str, ...], report: Report, *, today: Backup | None = None
) -> Versions:
    """Change to another version; raises UpgradeFailed when this one runs again.

    `today` is what was kept before the database was put back to an earlier one.
    """
    _outlive_connection()
    if not runnable(command):
        raise NoOtherVersion(f"{command} is not there.", "Name a checkout: twinhub upgrade --from FOLDER")
    with report.step("Keeping accounts, settings and secrets"):
        kept = today or _keep(places)
        form = hub_database.revision(places)
    report.line(f"     kept as {kept.folder}")
    if read_versions(places) is None:
        write_versions(places, Versions(own_command()))
    problem = _install(places, command, options)
    if problem:
        database = today is not None or hub_database.revision(places) != form
        _undo(places, kept, problem, report, database=database)
    versions = Versions(command, own_command(), kept.name)
    write_versions(places, versions)
    remove_others(places, versions)
    return versions


def _install(places: Places, command: str, options: tuple[str, ...]) -> str:
    """Have a version install itself; give '' when it is healthy, else what was wrong."""
    words = [command, "--data-dir", str(places.data_dir), "install", TAKING_OVER, *options]
    try:
        status, last = _show(words)
    except KeyboardInterrupt:
        return "it was interrupted."
    except OSError as error:
        return f"it cannot be run: {error.strerror}."
    return "" if status == 0 else (last or f"it ended with status {status}.")


def _show(words: list[str]) -> tuple[int, str]:
    """Run a command, its progress shown live; give its status and the last it said."""
    last = ""
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        for line in process.stderr or ():
            with suppress(OSError):  # the terminal may be gone; the upgrade goes on
                sys.stderr.write(line)
            last = line.strip()[:500] or last
    return process.returncode, last.removeprefix("twinhub: ")


def _undo(places: Places, kept: Backup, problem: str, report: Report, *, database: bool) -> None:
    """Put everything back, start this version again, and say so; always raises."""
    report.line(f"  ✗  The new version did not become healthy: {problem}")
    with report.step("Going back to the version before"):
        _stop_parts(places)
        put_back(places, kept, database=database)
        bringup.bring_up(read_places(places.data_dir), Report(quiet=True))
    remove_others(places, read_versions(places) or Versions(own_command()))
    raise UpgradeFailed(
        f"The new version did not become healthy: {problem} The version before runs again, with its settings; "
        "workspaces were not touched.",
        "'twinhub logs PART --since 10m' shows what the new one said. Mend it, then upgrade again.",
    )


def _stop_parts(places: Places) -> None:
    """Stop every part but the engine, which workspaces run on."""
    supervisor = Supervisor(places)
    if supervisor.running():
        for state in supervisor.states():
            if state.name != "engine" and state.state in ("RUNNING", "STARTING", "BACKOFF"):
                supervisor.stop(state.name)


def put_back(places: Places, kept: Backup, *, database: bool) -> None:
    """Give settings and secrets, and where asked for the database, the content they had.

    A database whose form has not changed stays: it holds what people did meanwhile.
    All of it is put back, or everything stays; nothing that was replaced goes before that is sure.
    """
    aside = places.data_dir / f".putting-back-{secrets.token_hex(4)}"
    new, old = aside / "new", aside / "replaced"
    new.mkdir(mode=0o700, parents=True)
    old.mkdir(mode=0o700)
    names = (FILE_NAME, "secrets", *(("hub",) if database else ()))
    try:
        write_tree(kept, new, (), Report(quiet=True))
        for name in names:
            _swap(new / name, places.data_dir / name, old / name)
    except BaseException:
        for name in names:
            _swap(old / name, places.data_dir / name, new / name)
        shutil.rmtree(aside, ignore_errors=True)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _swap(new: Path, place: Path, old: Path) -> None:
    if new.exists():
        if place.exists():
            place.rename(old)
        new.rename(place)


def go_back(places: Places, report: Report, *, database: bool) -> Versions:
    """Change to the version before; its database only where asked for, as it holds less than today's."""
    versions = read_versions(places)
    if versions is None or not runnable(versions.previous):
        raise NoOtherVersion("No version before this one is there.", "Upgrade from its checkout: --from FOLDER")
    _outlive_connection()
    today = None
    if database:
        earlier = find_backup(places, str(places.backups / versions.backup))
        today = _keep(places)
        try:
            _stop_parts(places)
            put_back(places, earlier, database=True)
        except BaseException:
            bringup.bring_up(places, Report(quiet=True))
            raise
    taken = take_over(read_places(places.data_dir), versions.previous, (), report, today=today)
    return replace(taken, previous=own_command())


def from_checkout(places: Places, checkout: Path, options: tuple[str, ...]) -> int:
    """Have a checkout's installer prepare its code beside ours; it then hands over to the version that runs."""
    script = checkout / "install.sh"
    if not script.is_file():
        raise NoOtherVersion(f"{checkout} holds no install.sh.", "Name the folder of a checkout of Twinhub.")
    command = ["bash", str(script), "--data-dir", str(places.data_dir), *options]
    return subprocess.run(command, check=False, env={**os.environ}).returncode
