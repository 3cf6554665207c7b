"""What an installation's workspaces are called and what of the host they may see."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hub.engine_gate.errors import refused
from twinhub.names import COMMON, INSTALLATION_LABEL, USERNAME_PATTERN

OWNER: Final = USERNAME_PATTERN.removeprefix("^").removesuffix("$")
SERVER: Final = "[a-z][a-z0-9-]{0,20}"
OWNER_LABEL: Final = "twinhub.owner"


@dataclass(frozen=True)
class Seat:
    """Whose workspace a container is; `server` is '' for a person's own."""

    owner: str
    server: str = ""

    @property
    def home(self) -> str:
        """Name of the folder that is its home."""
        return f"{self.owner}.SERVER.{self.server}" if self.server else self.owner


@dataclass(frozen=True)
class Rules:
    """The facts of one installation that requests are held against."""

    installation: str
    network: str
    files: Path
    homes: Path

    def seat(self, container_name: str) -> Seat:
        """Tell whose workspace a container name stands for; raises GateRefused for any other name."""
        pattern = rf"{re.escape(self.installation)}-workspace-(?P<owner>{OWNER})(\.SERVER\.(?P<server>{SERVER}))?"
        found = re.fullmatch(pattern, container_name, re.ASCII)
        if found is None or found["owner"] == COMMON:
            raise refused(f"'{container_name[:80]}' is not the name of a workspace of this installation")
        return Seat(found["owner"], found["server"] or "")

    def check_image(self, name: str) -> None:
        """Refuse every image but this installation's own."""
        if not re.fullmatch(rf"{re.escape(self.installation)}-workspace:[\w.-]{{1,60}}", name, re.ASCII):
            raise refused(f"'{name[:80]}' is not a workspace image of this installation")

    def check_volume(self, name: str) -> None:
        """Refuse every volume but those of the Jupyter server, which `twinhub up` has filled."""
        if not re.fullmatch(rf"{re.escape(self.installation)}-server-[0-9a-f]{{16}}", name, re.ASCII):
            raise refused(f"'{name[:80]}' is not a server volume of this installation")

    def binds(self, seat: Seat) -> frozenset[str]:
        """Give every bind that this workspace may have, in the engine's own spelling."""
        return frozenset(
            {
                f"{self.files / seat.owner}:/workspace:rw",
                f"{self.files / COMMON}:/workspace/common:rw",
                f"{self.files / COMMON}:/workspace/common:ro",
                f"{self.homes / seat.home}:/home/{seat.owner}:rw",
            }
        )

    def check_bind(self, bind: str, seat: Seat) -> None:
        """Refuse any bind but this person's own, and one that another account could swap before the engine mounts it.

        Sources are compared as text, so there is nothing in them to interpret.
        Homes stand in a folder that only root may change; see also twinhub.owners.
        """
        if bind not in self.binds(seat):
            raise refused(f"the bind '{bind[:120]}' is not a folder of {seat.owner}")
        source = bind.split(":", 1)[0]
        try:
            about = os.lstat(source)
        except OSError as error:
            raise refused(f"the folder {source} cannot be looked at ({error.strerror})") from error
        if not stat.S_ISDIR(about.st_mode):
            raise refused(f"{source} is not a folder")
        if Path(source).parent == self.files and about.st_uid != os.getuid():
            raise refused(
                f"{source} belongs to the account {about.st_uid}, which could put another folder in its place"
            )

    def check_existing(self, about: dict[str, object]) -> Seat:
        """Refuse an inspected container that is not a workspace of this installation."""
        name = str(about.get("Name", "")).removeprefix("/")
        seat = self.seat(name)
        config = about.get("Config")
        labels = config.get("Labels") if isinstance(config, dict) else None
        if not isinstance(labels, dict) or labels.get(INSTALLATION_LABEL) != self.installation:
            raise refused(f"the container '{name}' was not made by this installation")
        return seat
