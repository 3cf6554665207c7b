"""Which settings concern which process, so that a change restarts just those."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any, Final

from twinhub.operate.programs import Program
from twinhub.places import Places

OF_REALTIME: Final[dict[str, frozenset[str]]] = {
    "hub": frozenset({"enabled"}),
    "monitor": frozenset({"enabled"}),
    "realtime-broker": frozenset({"relaxed_durability", "leaf_of", "leaf_secret"}),
    "upkeep": frozenset({"enabled", "mqtt_port"}),
    "web": frozenset({"enabled"}),
}
"""Keys of the section `realtime` that a process reads; those not named here read all."""

OF_GATEWAY: Final[dict[str, frozenset[str]]] = {
    "hub": frozenset({"subdomains"}),
    "web": frozenset({"subdomains", "services"}),
    "libms": frozenset({"subdomains", "services"}),
    "realtime": frozenset({"subdomains", "services"}),
}
"""Keys of the section `gateway` that a process reads; those not named here read all."""

UNREAD: Final[dict[str, frozenset[str]]] = {
    "engine-gate": frozenset({"accounts", "backup", "gateway", "library", "realtime", "workspaces"}),
    "hub": frozenset({"backup"}),
    "libms": frozenset({"accounts", "backup", "realtime", "workspaces"}),
    "monitor": frozenset({"accounts", "library", "workspaces"}),
    "realtime": frozenset({"accounts", "backup", "library", "workspaces"}),
    "realtime-broker": frozenset({"accounts", "backup", "gateway", "library", "monitoring", "workspaces"}),
    "upkeep": frozenset({"accounts", "backup"}),
    "watch": frozenset({"accounts", "backup", "gateway", "library", "realtime"}),
    "web": frozenset({"accounts", "backup", "library"}),
}
"""Sections that a process does not read: uploads and open pages outlive a change of them."""


def with_settings(places: Places, programs: tuple[Program, ...]) -> list[Program]:
    """Mark each program with a digest of what it reads at its start."""
    static = hashlib.sha256((places.gateway / "static.yaml").read_bytes()).hexdigest()[:16]
    return [
        replace(
            program,
            environment={
                **program.environment,
                "TWINHUB_STARTED_WITH": static if program.name == "gateway" else _digest(places, program.name),
            },
        )
        for program in programs
    ]


def _digest(places: Places, program: str) -> str:
    """Give a digest of the settings as far as they concern a program."""
    settings = places.settings
    read = OF_GATEWAY.get(program)
    left_out: dict[str, Any] = dict.fromkeys(UNREAD.get(program, ()), True)
    if read is not None:
        left_out["gateway"] = set(type(settings.gateway).model_fields) - read
    of_realtime = OF_REALTIME.get(program)
    if of_realtime is not None:
        left_out["realtime"] = set(type(settings.realtime).model_fields) - of_realtime
    text = settings.model_dump_json(exclude=left_out)
    if read is not None:
        # The hub knows whether there is encryption, not of what kind.
        text += str(settings.gateway.encrypted)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
