"""The containers of workspaces, for an operator's command that has to be sure."""

from __future__ import annotations

import docker

from twinhub.names import INSTALLATION_LABEL, OWNER_LABEL
from twinhub.places import Places


def remove_containers_of(places: Places, owner: str) -> list[str]:
    """Remove every container that somebody still has; name them.

    The hub removes them itself with the account (Workspace.delete_forever); this
    is for those that it could not, as while the engine was silent.
    """
    client = docker.from_env()
    try:
        labels = [f"{INSTALLATION_LABEL}={places.settings.name}", f"{OWNER_LABEL}={owner}"]
        found = client.containers.list(all=True, filters={"label": labels}, ignore_removed=True)
        for container in found:
            container.remove(force=True, v=True)
        return [str(container.name) for container in found]
    finally:
        client.close()
