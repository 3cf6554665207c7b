"""Where twins, their outputs and the records of their runs are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SWAPPING: Final = ".swapping"
"""What a killed restore leaves beside a twin's snapshots."""
SET_ASIDE: Final = ".set-aside"
"""What a killed replay in place leaves there."""
GOING_BACK: Final = ".going-back"
"""What a killed way back to a version leaves beside a twin's versions."""


@dataclass(frozen=True)
class Places:
    """Folders of one workspace.

    Runs are kept in the home folder: it outlives the container, and the
    Library, which shows /workspace, does not list logs as assets.
    """

    workspace: Path
    runs: Path

    @property
    def twins(self) -> Path:
        """One folder per twin."""
        return self.workspace / "digital_twins"

    @property
    def store(self) -> Path:
        """Contents of files that runs, snapshots and versions refer to by checksum."""
        return self.runs.parent / "store"

    @property
    def snapshots(self) -> Path:
        """One folder per twin."""
        return self.runs.parent / "snapshots"

    @property
    def versions(self) -> Path:
        """One folder per twin."""
        return self.runs.parent / "versions"

    def unfinished(self, twin: str) -> tuple[Path, ...]:
        """Name the notes that a killed restore, replay or way back leaves behind; state/recovery.py finishes those."""
        kept = self.snapshots / twin
        return kept / SWAPPING, kept / SET_ASIDE, self.versions / twin / GOING_BACK

    def outputs(self, twin: str) -> Path:
        """Where a twin writes its results."""
        return self.workspace / "data" / twin


def read_places() -> Places:
    """Read the environment once: TWINHUB_WORKSPACE and TWINHUB_RUNS replace the usual folders."""
    return Places(
        Path(os.environ.get("TWINHUB_WORKSPACE", "/workspace")),
        Path(os.environ.get("TWINHUB_RUNS", str(Path.home() / ".twinhub" / "runs"))),
    )
