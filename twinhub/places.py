"""Where an installation keeps what, and on which port each of its parts listens."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from twinhub.settings import FILE_NAME, Settings, read_settings
from twinhub.subdomains import label

DATA_DIR_VARIABLE = "TWINHUB_DATA_DIR"


def default_data_dir() -> Path:
    """Name the folder of an installation where nobody named one."""
    named = os.environ.get(DATA_DIR_VARIABLE)
    if named:
        return Path(named)
    return Path("/var/lib/twinhub") if os.getuid() == 0 else Path.cwd() / ".twinhub"


@dataclass(frozen=True)
class Places:
    """Paths below one data folder, and the internal ports that go with its settings."""

    data_dir: Path
    settings: Settings

    @property
    def settings_file(self) -> Path:
        """The one configuration file."""
        return self.data_dir / FILE_NAME

    @property
    def files(self) -> Path:
        """One folder per owner, and `common`."""
        return self.data_dir / "files"

    @property
    def trash(self) -> Path:
        """Deleted assets, by owner, until they expire."""
        return self.data_dir / "trash"

    @property
    def uploads(self) -> Path:
        """Files on their way in, on the same disk as `files`, so that they appear there whole."""
        return self.data_dir / "uploads"

    @property
    def library(self) -> Path:
        """The library's own state: its index, which is only a cache, and its log of changes."""
        return self.data_dir / "library"

    @property
    def homes(self) -> Path:
        """Home folders of the workspaces."""
        return self.data_dir / "homes"

    @property
    def workspaces(self) -> Path:
        """What is known of workspaces, one small file each."""
        return self.data_dir / "workspaces"

    @property
    def workspace_state(self) -> Path:
        """What the watch tells of those that run, by owner."""
        return self.workspaces / "state"

    @property
    def keep(self) -> Path:
        """Until when people want theirs kept, by owner; written by the pages."""
        return self.workspaces / "keep"

    @property
    def ends(self) -> Path:
        """Why those that ended have ended, by owner."""
        return self.workspaces / "ends"

    @property
    def watch_memory(self) -> Path:
        """What the watch remembers over its own restart."""
        return self.workspaces / "watch.json"

    @property
    def secrets(self) -> Path:
        """Files of mode 0600, one per secret."""
        return self.data_dir / "secrets"

    @property
    def hub(self) -> Path:
        """JupyterHub's database."""
        return self.data_dir / "hub"

    @property
    def gateway(self) -> Path:
        """Traefik's configuration; `dynamic/` below it is watched."""
        return self.data_dir / "gateway"

    @property
    def tls(self) -> Path:
        """The gateway's certificate, and the authority of this machine's own."""
        return self.data_dir / "tls"

    @property
    def access_log(self) -> Path:
        """One line of JSON for each request; in a folder of the gateway's own account."""
        return self.gateway / "log" / "access.log"

    @property
    def log(self) -> Path:
        """One log file per process."""
        return self.data_dir / "log"

    @property
    def run(self) -> Path:
        """Sockets and process ids; worthless after a stop."""
        return self.data_dir / "run"

    @property
    def backups(self) -> Path:
        """Backups, each content once; nobody but the installing account enters it."""
        return self.settings.backup.folder or self.data_dir / "backups"

    @property
    def audit(self) -> Path:
        """Who did what: a folder for each account that writes, so that none changes another's."""
        return self.data_dir / "audit"

    @property
    def monitor_socket(self) -> Path:
        """Where the monitor answers the pages, and nobody else."""
        return self.run / "monitor" / "socket"

    @property
    def revocations(self) -> Path:
        """An empty file; the hub sets its time whenever sessions or tokens have ended."""
        return self.run / "revocations"

    @property
    def images(self) -> Path:
        """What is known of the builds of the workspace image."""
        return self.data_dir / "images"

    @property
    def hub_port(self) -> int:
        """Port of the hub, on loopback; the gateway offers its API on the workspaces' bridge at the same one."""
        return self.settings.first_internal_port

    @property
    def web_port(self) -> int:
        """Port of the pages, on loopback."""
        return self.settings.first_internal_port + 1

    @property
    def libms_port(self) -> int:
        """Port of the library, on loopback."""
        return self.settings.first_internal_port + 2

    @property
    def gateway_api_port(self) -> int:
        """Port of the gateway's own health answer and API, on loopback."""
        return self.settings.first_internal_port + 3

    @property
    def gateway_user_id(self) -> int:
        """Numeric account of the gateway, which has no business with anybody's files."""
        return self.settings.account(1)

    @property
    def hub_user_id(self) -> int:
        """Numeric account of the hub, which knows everybody's passwords and nobody's files."""
        return self.settings.account(2)

    @property
    def engine_gate_socket(self) -> Path:
        """Where the hub reaches the container engine, as far as it may."""
        return self.run / "engine-gate" / "socket"

    @property
    def inner_gateway_port(self) -> int:
        """Port at which processes of this machine reach the gateway, on loopback."""
        return self.settings.first_internal_port + 4

    @property
    def inner_gateway_url(self) -> str:
        """Address of the gateway for our own processes: plain HTTP, without the limits that hold for browsers."""
        return f"http://127.0.0.1:{self.inner_gateway_port}"

    @property
    def realtime(self) -> Path:
        """What real-time twins keep: the broker's store in `broker/`, alerts and history beside it."""
        return self.data_dir / "realtime"

    @property
    def realtime_user_id(self) -> int:
        """Numeric account of the broker and the service of real-time twins, to which all of `realtime` belongs."""
        return self.settings.account(3)

    @property
    def realtime_port(self) -> int:
        """Port of the service of real-time twins, on loopback."""
        return self.settings.first_internal_port + 5

    @property
    def realtime_broker_port(self) -> int:
        """Port of the broker, on the workspaces' bridge: for workers, hosts and the service."""
        return self.settings.first_internal_port + 6

    @property
    def realtime_broker_monitor_port(self) -> int:
        """Port of the broker's own figures, on loopback."""
        return self.settings.first_internal_port + 7

    @property
    def mqtt_inner_port(self) -> int:
        """Port on loopback at which the service takes MQTT where the gateway decrypts it."""
        return self.settings.first_internal_port + 8

    @property
    def mqtt_port(self) -> int | None:
        """Port for devices that speak MQTT; None where there is none."""
        section = self.settings.realtime
        if not section.enabled or section.mqtt_port == 0:
            return None
        return section.mqtt_port or (8883 if self.settings.gateway.encrypted else 1883)

    @property
    def mqtt_address(self) -> str:
        """Address of the machine for that port."""
        return self.settings.realtime.mqtt_address or self.settings.address

    @property
    def domain(self) -> str:
        """Host name of the platform's own pages."""
        return (self.settings.domain or "localhost").lower()

    @property
    def origin(self) -> str:
        """Address of the platform for browsers, without a path."""
        return self._origin_of(self.domain)

    def workspace_host(self, owner: str) -> str | None:
        """Give the host of a person's workspace, where each has one of its own."""
        return f"{label(owner)}.{self.domain}" if self.settings.gateway.subdomains else None

    def workspace_origin(self, owner: str) -> str:
        """Give the address of a person's workspace for browsers, without a path."""
        return self._origin_of(self.workspace_host(owner) or self.domain)

    def _origin_of(self, host: str) -> str:
        scheme, usual = ("https", 443) if self.settings.gateway.encrypted else ("http", 80)
        return f"{scheme}://{host}" + ("" if self.settings.port == usual else f":{self.settings.port}")


def read_places(data_dir: Path | None = None) -> Places:
    """Find an installation and read its settings; raises SettingsError."""
    folder = (data_dir or default_data_dir()).absolute()
    # Not the reading process's own account: most of the platform's processes have dropped root.
    installer_id = folder.stat().st_uid if folder.exists() else os.getuid()
    return Places(folder, read_settings(folder / FILE_NAME).for_installer(installer_id))
