"""Why the gate passes a request on to nobody."""

from __future__ import annotations

from twinhub.errors import PublicError


class GateRefused(PublicError):
    """The hub asked for something that workspaces never need."""

    code = "gate_refused"
    status = 403


class EngineSilent(PublicError):
    """The container engine behind the gate does not answer."""

    code = "engine_silent"
    status = 503


def refused(what: str) -> GateRefused:
    """Give the refusal of one request; `what` never holds a value out of a container's environment."""
    return GateRefused(
        f"The engine gate refuses this: {what}.", "If it is meant, docs/operate/isolation.md says where it is allowed."
    )
