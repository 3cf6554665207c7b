"""Where twins, their outputs and the records of their runs are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


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

    def outputs(self, twin: str) -> Path:
        """Where a twin writes its results."""
        return self.workspace / "data" / twin


def read_places() -> Places:
    """Read the environment once: TWINHUB_WORKSPACE and TWINHUB_RUNS replace the usual folders."""
    return Places(
        Path(os.environ.get("TWINHUB_WORKSPACE", "/workspace")),
        Path(os.environ.get("TWINHUB_RUNS", str(Path.home() / ".twinhub" / "runs"))),
    )
