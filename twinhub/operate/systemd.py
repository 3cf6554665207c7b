"""One systemd unit that keeps supervisord alive and starts it at boot, where systemd runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from twinhub.errors import PublicError
from twinhub.places import DATA_DIR_VARIABLE, Places

UNITS: Final = Path("/etc/systemd/system")


class UnitRefused(PublicError):
    """systemd did not take the unit."""

    code = "systemd"
    status = 500


def available() -> bool:
    """Tell whether systemd runs this machine."""
    return Path("/run/systemd/system").is_dir()


def unit_text(places: Places) -> str:
    """Give the unit.

    Workspaces belong to the engine's control group, not to this one, so
    stopping the unit leaves them alone. KillMode=mixed lets supervisord stop
    its processes in their order.
    """
    return f"""[Unit]
Description=Twinhub ({places.settings.name})
After=network-online.target docker.service
Wants=network-online.target docker.service

[Service]
Type=simple
Environment={DATA_DIR_VARIABLE}={places.data_dir}
ExecStart={sys.executable} -m twinhub.operate.cli supervise
Restart=always
RestartSec=2
KillMode=mixed
TimeoutStopSec=60

[Install]
WantedBy=multi-user.target
"""


def ensure_unit(places: Places) -> None:
    """Write and enable the unit; the running supervisord stays until the next boot or stop."""
    file = UNITS / f"{places.settings.name}.service"
    if file.exists() and file.read_text() == unit_text(places):
        return
    file.write_text(unit_text(places))
    _systemctl("daemon-reload")
    _systemctl("enable", file.name)


def stop_unit(places: Places) -> None:
    """Stop the unit where it runs supervisord; systemd would start again what is only ended."""
    if available() and (UNITS / f"{places.settings.name}.service").exists():
        _systemctl("stop", f"{places.settings.name}.service")


def remove_unit(places: Places) -> None:
    """Disable and delete the unit."""
    file = UNITS / f"{places.settings.name}.service"
    if file.exists():
        _systemctl("disable", "--now", file.name)
        file.unlink()
        _systemctl("daemon-reload")


def _systemctl(*arguments: str) -> None:
    done = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnitRefused(
            f"'systemctl {' '.join(arguments)}' failed: {done.stderr.strip()}",
            "Run it by hand to see more; the platform itself runs.",
        )
