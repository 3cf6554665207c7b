"""What `install.sh` hands over to once Python's part is there, and how all of it is undone."""

from __future__ import annotations

import errno
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TextIO

import docker
import docker.errors
from ruamel.yaml import YAML

from twinhub.errors import PublicError
from twinhub.operate import bringup, engine, firewall, hub_database, systemd, versions
from twinhub.operate.layout import ADMIN_PASSWORD
from twinhub.operate.network import remove_network
from twinhub.operate.report import Report
from twinhub.operate.volumes import server_volumes
from twinhub.places import Places
from twinhub.removal import remove_tree
from twinhub.settings import parse_settings

COMMAND: Final = Path("/usr/local/bin/twinhub")
KEPT: Final = (
    "files",
    "homes",
    "trash",
    "library",
    "realtime",
    "hub",
    "secrets",
    "tls",
    "audit",
    "backups",
    "twinhub.yaml",
    "installation-name",
)
"""What stays after an uninstall without --purge: everything that people made."""

REMOVED: Final = ("app", "gateway", "images", "log", "run", "uploads", "workspaces")
"""What goes in any case. The data folder may hold things that are not ours, which stay."""


class NotAnInstallation(PublicError):
    """The folder holds no installation of ours."""

    code = "not_an_installation"
    status = 500


def open_new(file: Path) -> TextIO:
    """Open a new file in the place of what is there; a link is replaced and never followed."""
    file.unlink(missing_ok=True)
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666), "w", encoding="utf-8")


def write_settings(file: Path, changes: dict[str, Any]) -> bool:
    """Set keys in the configuration file, keeping its comments; tell whether anything changed.

    `changes` maps dotted keys to values; None means the option was not given.
    The result is checked before it replaces the file.
    """
    yaml = YAML()
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    parse_settings(before, str(file))
    content = yaml.load(before) or {}
    for key, value in changes.items():
        if value is not None:
            *sections, last = key.split(".")
            target = content
            for section in sections:
                target = target.setdefault(section, {})
            target[last] = value
    part = file.with_name(f".{file.name}.part")
    file.parent.mkdir(parents=True, exist_ok=True)
    with open_new(part) as stream:
        if not before:
            stream.write("# Configuration of Twinhub; 'twinhub config example' shows every key.\n")
        if content:
            yaml.dump(content, stream)
    text = part.read_text(encoding="utf-8")
    try:
        parse_settings(text, str(file))
        if text == before:
            return False
        part.replace(file)
        return True
    finally:
        part.unlink(missing_ok=True)


def install(places: Places, report: Report, *, taking_over: bool = False) -> None:
    """Start everything and make it start again at boot, where something can do that.

    `taking_over`: the version before looks after this, notes it, and cleans up.
    """
    hub_database.ensure_current(places, report)
    bringup.bring_up(places, report)
    if os.getuid() == 0:
        link_command()
        if systemd.available():
            with report.step("Start at boot"):
                systemd.ensure_unit(places)
    if not taking_over:
        noted = versions.read_versions(places) or versions.Versions("")
        versions.write_versions(places, replace(noted, current=versions.own_command()))
        versions.remove_others(places, replace(noted, current=versions.own_command()))


def version_in_charge(places: Places) -> str:
    """Name the command of another version that runs here and has to look after the change to this one; '' for none."""
    noted = versions.read_versions(places)
    if noted is None or noted.current == versions.own_command() or not versions.runnable(noted.current):
        return ""
    return noted.current


def summary(places: Places) -> list[str]:
    """Say where the platform is and how to get in."""
    return [
        "",
        f"Twinhub is up at {places.origin}",
        f"  administrator   {places.settings.accounts.admin}",
        f"  first password  in {places.secrets / ADMIN_PASSWORD}",
        f"  configuration   {places.settings_file}",
        *(["  certificate     twinhub tls ca shows how to trust it"] if places.settings.gateway.tls == "local" else []),
        "  next            twinhub status, twinhub doctor, twinhub --help",
    ]


def link_command() -> None:
    """Put `twinhub` on everybody's PATH, unless something else has that name."""
    ours = Path(sys.executable).parent / "twinhub"
    if COMMAND.is_symlink() or not COMMAND.exists():
        if COMMAND.is_symlink() and COMMAND.readlink() == ours:
            return
        COMMAND.unlink(missing_ok=True)
        COMMAND.symlink_to(ours)


def uninstall(places: Places, report: Report, *, purge: bool) -> None:
    """Stop everything and remove what the installer made; what people made goes only with `purge`."""
    if not places.secrets.is_dir():
        raise NotAnInstallation(
            f"{places.data_dir} holds no installation of Twinhub.", "Name its folder with --data-dir."
        )
    if not engine.engine_answers() and (places.hub / "jupyterhub.sqlite").exists():
        raise engine.EngineMissing(
            "The container engine does not answer, so the workspaces' containers cannot be removed.",
            "Start it, or run 'twinhub up', which does; then uninstall again.",
        )
    if systemd.available():
        systemd.remove_unit(places)
    if engine.engine_answers():
        with report.step("Workspaces, network and image"):
            _remove_containers(places)
    with report.step("Processes"):
        bringup.shut_down(places)
    if COMMAND.is_symlink() and COMMAND.readlink().is_relative_to(places.data_dir):
        COMMAND.unlink()
    firewall.remove_firewall(places)
    with report.step("Files"):
        remove_files(places, purge=purge)


def remove_files(places: Places, *, purge: bool) -> None:
    """Delete what the installer made, with `purge` what people made too; raises OSError naming what stays."""
    entries = [places.data_dir / name for name in (*REMOVED, *(KEPT if purge else ()))]
    stay = [str(entry) for entry in entries if not remove_tree(entry)]
    if stay:
        raise OSError(errno.ENOTEMPTY, "Not everything could be deleted", ", ".join(stay))
    if purge and not any(places.data_dir.iterdir()):
        places.data_dir.rmdir()


def _remove_containers(places: Places) -> None:
    name = places.settings.name
    client = docker.from_env()
    for container in bringup.own_containers(places, everything=True):
        container.remove(force=True)
    for volume in server_volumes(client, name):
        # An engine that died while a volume was filled has left the container that filled it.
        for container in client.containers.list(all=True, filters={"volume": volume.name}):
            container.remove(force=True)
        volume.remove()
    remove_network(places)
    for image in client.images.list(name=f"{name}-workspace"):
        # By name: another installation may have given the same image one of its own.
        for tag in image.tags:
            if tag.startswith(f"{name}-workspace"):
                client.images.remove(tag, force=True)
    client.close()
