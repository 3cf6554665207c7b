"""Which settings concern which process, so that a change restarts just those."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Final

from twinhub.operate.programs import Program
from twinhub.places import Places

ADDRESS: Final = frozenset({"tls", "subdomains"})
COOKIES: Final = frozenset({"subdomains", "services"})
OF_GATEWAY: Final = {"hub": ADDRESS, "web": COOKIES, "libms": COOKIES}
"""Keys of the section `gateway` that a process other than the gateway reads; those not named here read all."""


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
    if read is not None:
        unread = set(type(settings.gateway).model_fields) - read
        text = settings.model_dump_json(exclude={"gateway": unread})
    else:
        text = settings.model_dump_json()
    return hashlib.sha256(text.encode()).hexdigest()[:16]
