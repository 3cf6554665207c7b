"""Names and passwords at the broker, all derived: nothing is kept for each owner but that there is one, and since which time."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final, Literal

from twinhub.subdomains import label

Role = Literal["service", "worker", "program"]
ROLES: Final[tuple[Role, ...]] = ("service", "worker", "program")


def account_of(owner: str) -> str:
    """Name an owner's account at the broker; letters, digits and hyphens only, no two owners the same."""
    return f"owner-{label(owner)}"


def broker_user(owner: str, role: Role) -> str:
    """Name who connects to an owner's account."""
    return f"{role}-{label(owner)}"


def broker_password(secret: str, owner: str, role: Role, generation: str = "") -> str:
    """Give the password that goes with broker_user; whoever has one can make no other.

    The service's own is the same in every generation, as it leaves the platform for leaves only.
    """
    words = ["broker", role, owner, *([generation] if generation and role != "service" else [])]
    return hmac.new(secret.encode(), "\0".join(words).encode(), hashlib.sha256).hexdigest()
