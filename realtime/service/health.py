"""How a model is, from what its workers tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from realtime.wire import ModelRecord, WorkerRecord

REASON: Final = 500


def state_of(record: ModelRecord, workers: Sequence[WorkerRecord], host: dict[str, str]) -> tuple[str, str]:
    """Give the state of a model and why it is so: running, starting, loading, degraded, stopped or failing."""
    if record.removed_at is not None or not record.enabled:
        return "stopped", "It is switched off." if record.removed_at is None else "It was deleted; it can be restored."
    trouble = next((one.trouble for one in workers if one.trouble), "")
    if trouble:
        return "failing", trouble[:REASON]
    if not workers:
        return _without_workers(host)
    return _by_partitions(record, workers)


def _without_workers(host: dict[str, str]) -> tuple[str, str]:
    if host.get("state") == "failed":
        return "failing", f"{host.get('what', '')} {host.get('fix', '')}".strip()[:REASON]
    return "starting", "No worker has told of itself yet."


def _by_partitions(record: ModelRecord, workers: Sequence[WorkerRecord]) -> tuple[str, str]:
    ready = {number for one in workers for number in one.partitions}
    missing = set(range(record.partitions)) - ready
    if not missing:
        return "running", ""
    loading = {number for one in workers for number in one.loading}
    if missing <= loading:
        return "loading", f"{len(missing)} of {record.partitions} partitions are being brought up to date."
    names = ", ".join(str(number) for number in sorted(missing - loading)[:20])
    return "degraded", f"No worker has these of {record.partitions} partitions: {names}."


def model_json(record: ModelRecord, workers: Sequence[WorkerRecord], host: dict[str, str]) -> dict[str, Any]:
    """Give a model as pages and programs see it."""
    state, reason = state_of(record, workers, host)
    return {
        **msgspec.structs.asdict(record),
        "state": state,
        "reason": reason,
        "workers": len(workers),
        "instances": sum(one.instances for one in workers),
        "rate": sum(one.rate for one in workers),
        "lag": max((one.lag for one in workers), default=0),
        "memory_bytes": sum(one.memory_bytes for one in workers),
        "messages": sum(one.messages for one in workers),
        "failures": sum(one.failures for one in workers),
        "restarts": sum(one.restarts for one in workers),
    }
