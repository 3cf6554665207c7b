"""What a workspace's container is made of, decided without asking anybody: one function of all that matters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from twinhub.images import READ_ONLY_TMPFS
from twinhub.names import (
    INSTALLATION_LABEL,
    OWNER_LABEL,
    PLAN_LABEL,
    PROFILE_LABEL,
    SERVER_ENVIRONMENT,
    SERVER_LABEL,
    VARIANT_LABEL,
    server_volume,
)
from twinhub.profiles import Profile

CAPABILITIES: Final = (
    # What apt and sudo need inside one's own container; everything else is dropped. Tried with packages that bring
    # accounts, services and setgid files. Ports below 1024 and setpriv work without a capability; chroot does not.
    "AUDIT_WRITE",  # sudo complains at every call without it
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",  # otherwise dpkg loses setgid bits without a word
    "KILL",  # stop a service that runs under another account
    "SETGID",
    "SETUID",
)

SECRET_VARIABLES: Final = ("JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN")
"""New at every start; a container keeps those it was made with."""


@dataclass(frozen=True)
class Making:
    """Everything that a container is made from."""

    installation: str
    owner: str
    server: str
    profile: Profile
    image_id: str
    network: str
    binds: Mapping[str, Mapping[str, str]]
    environment: Mapping[str, str]
    sudo: bool
    user_id: int
    """Numeric owner of the files, inside the container."""


@dataclass(frozen=True)
class Plan:
    """What the engine is asked for."""

    host_config: dict[str, Any]
    create_options: dict[str, Any]
    digest: str
    """Changes with everything that only a new container can change."""


def plan_container(making: Making) -> Plan:
    """Decide how to make a container.

    Limits hold from outside: memory without swap beside it, processor time,
    processes. Where the machine itself runs out of memory, workspaces are ended
    before the platform, so that one person's mistake is not everybody's.
    """
    host_config: dict[str, Any] = {
        "cap_drop": ["ALL"],
        "pids_limit": making.profile.processes,
        "memswap_limit": making.profile.memory,
        "oom_score_adj": 300,
        "ipc_mode": "private",
        "log_config": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "2"}},
        # `twinhub up` has filled it from the image; nobody, root in the container included, can write to it.
        "mounts": [
            {
                "Type": "volume",
                "Source": server_volume(making.installation, making.image_id),
                "Target": SERVER_ENVIRONMENT,
                "ReadOnly": True,
            },
        ],
        **_rights(making),
    }
    labels = {
        INSTALLATION_LABEL: making.installation,
        OWNER_LABEL: making.owner,
        SERVER_LABEL: making.server,
        PROFILE_LABEL: making.profile.name,
        VARIANT_LABEL: making.profile.image,
    }
    options: dict[str, Any] = {"hostname": "workspace"}
    if not making.sudo:
        options["user"] = f"{making.user_id}:{making.user_id}"
    digest = _digest(making, host_config, options, labels)
    return Plan(host_config, {**options, "labels": {**labels, PLAN_LABEL: digest}}, digest)


def _rights(making: Making) -> dict[str, Any]:
    if making.sudo:
        return {"cap_add": list(CAPABILITIES)}
    return {
        "security_opt": ["no-new-privileges:true"],
        "read_only": True,
        "tmpfs": dict(READ_ONLY_TMPFS),
    }


def _digest(making: Making, *parts: dict[str, Any]) -> str:
    """Sum up all that matters; tokens are left out, as each start has new ones."""
    environment = {key: value for key, value in making.environment.items() if key not in SECRET_VARIABLES}
    ingredients = [
        making.image_id,
        making.network,
        making.profile.memory,
        making.profile.cpus,
        dict(making.binds),
        environment,
        *parts,
    ]
    return hashlib.sha256(json.dumps(ingredients, sort_keys=True, default=str).encode()).hexdigest()
