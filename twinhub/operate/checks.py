"""What must be right before and while the platform runs, each with the remedy."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.entry_points import plain_port
from twinhub.errors import PublicError
from twinhub.places import Places

NEEDED_FREE_GB: Final = 4.0
"""Room for the image, its build and first data; the image itself takes under 1 GB."""

WANTED_FREE_GB: Final = 1.0
"""What a running installation should have left."""


NAME_FILE: Final = "installation-name"
"""In the data folder: under which name containers and volumes were made."""


class NotReady(PublicError):
    """The machine is not fit to start the platform."""

    code = "not_ready"
    status = 500


@dataclass(frozen=True)
class Finding:
    """The outcome of one check."""

    name: str
    ok: bool
    what: str
    fix: str = ""


def listening_addresses(places: Places) -> dict[str, tuple[str, int]]:
    """Give every fixed address that the platform's processes take, by the setting that moves it."""
    plain = plain_port(places)
    return {
        **({"gateway.http_port": (places.settings.address, plain)} if plain else {}),
        "port": (places.settings.address, places.settings.port),
        "internal_port": ("127.0.0.1", places.hub_port),
        "internal_port + 1": ("127.0.0.1", places.web_port),
        "internal_port + 2": ("127.0.0.1", places.libms_port),
        "internal_port + 3": ("127.0.0.1", places.gateway_api_port),
        "internal_port + 4": ("127.0.0.1", places.inner_gateway_port),
        **_realtime_addresses(places),
    }


def _realtime_addresses(places: Places) -> dict[str, tuple[str, int]]:
    """Give those of real-time twins; the broker's is on the bridge, which may not be there yet."""
    if not places.settings.realtime.enabled:
        return {}
    found = {
        "internal_port + 5": ("127.0.0.1", places.realtime_port),
        "internal_port + 6": ("127.0.0.1", places.realtime_broker_port),
        "internal_port + 7": ("127.0.0.1", places.realtime_broker_monitor_port),
    }
    # Where nobody named it, and it is not the gateway that opens it, the service does without it.
    if places.mqtt_port and (places.settings.realtime.mqtt_port or places.settings.gateway.encrypted):
        found["realtime.mqtt_port"] = (places.mqtt_address, places.mqtt_port)
    return found


def check_ports_free(places: Places) -> Iterator[Finding]:
    """Tell which ports somebody else holds."""
    for setting, (address, port) in listening_addresses(places).items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                yield Finding(
                    "ports",
                    False,
                    f"Port {port} on {address} cannot be taken: {error.strerror}.",
                    f"End what holds it ('ss -ltnp sport = :{port}' shows it) or set another "
                    f"'{setting.split()[0]}': ./install.sh --port N.",
                )
                continue
        yield Finding("ports", True, f"port {port} on {address} is free")


def check_disk(folder: Path, needed_gb: float) -> Finding:
    """Tell whether there is room on the disk that holds a folder."""
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free_gb = shutil.disk_usage(existing).free / 1e9
    if free_gb < needed_gb:
        return Finding(
            "disk",
            False,
            f"The disk of {folder} has {free_gb:.1f} GB free; {needed_gb:.0f} GB are needed.",
            "Make room, or choose a folder on another disk with --data-dir.",
        )
    return Finding("disk", True, f"{free_gb:.1f} GB free for {folder}")


def check_reachable_folder(places: Places) -> Finding:
    """Tell whether the services, which do not run as root, can reach the data folder."""
    if os.getuid() == 0:
        for parent in places.data_dir.parents:
            if parent.exists() and not parent.stat().st_mode & 0o001:
                return Finding(
                    "data folder",
                    False,
                    f"{parent} can be entered by its owner only, and {places.data_dir} "
                    "lies below it; the services do not run as root.",
                    f"Choose another --data-dir, or: chmod o+x {parent}",
                )
    return Finding("data folder", True, f"data in {places.data_dir}")


def check_name(places: Places) -> Finding:
    """Tell whether the installation still has the name under which its containers and volumes were made."""
    recorded = places.data_dir / NAME_FILE
    if not recorded.exists():
        recorded = places.hub / NAME_FILE  # where older versions kept it
    first = recorded.read_text().strip() if recorded.exists() else places.settings.name
    if first != places.settings.name:
        return Finding(
            "name",
            False,
            f"This installation is named '{first}' and cannot become '{places.settings.name}': its containers and "
            "volumes would be left behind.",
            f"Set 'name: {first}' in {places.settings_file}, or choose another --data-dir for a second installation.",
        )
    return Finding("name", True, f"named '{first}'")


def check_certificates(places: Places) -> Finding:
    """Tell whether the configured bundle of authorities can be used."""
    bundle = places.settings.ca_bundle
    if bundle is None:
        return Finding("certificates", True, "authorities of this machine")
    try:
        ssl.create_default_context(cafile=str(bundle))
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "strerror", None) or error
        return Finding(
            "certificates",
            False,
            f"ca_bundle {bundle} cannot be used: {reason}.",
            "Name a PEM file with certificates of authorities.",
        )
    return Finding("certificates", True, f"authorities in {bundle}")


def require(findings: Iterator[Finding] | list[Finding]) -> None:
    """Raise NotReady for the first finding that is not right."""
    for finding in findings:
        if not finding.ok:
            raise NotReady(finding.what, finding.fix)
