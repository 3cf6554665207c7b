"""All operations of the API; whoever adds a module of them adds it here."""

from __future__ import annotations

from typing import Final

from lifecycle.server import (
    documents,
    examples,
    exploring,
    outputs,
    replays,
    runner,
    runs,
    snapshots,
    sweeps,
    twins,
    versions,
)
from lifecycle.server.operations import Operation

OPERATIONS: Final[tuple[Operation, ...]] = (
    *twins.OPERATIONS,
    *runs.OPERATIONS,
    *examples.OPERATIONS,
    *exploring.OPERATIONS,
    *snapshots.OPERATIONS,
    *versions.OPERATIONS,
    *sweeps.OPERATIONS,
    *replays.OPERATIONS,
    *outputs.OPERATIONS,
    *runner.OPERATIONS,
    *documents.OPERATIONS,
)
