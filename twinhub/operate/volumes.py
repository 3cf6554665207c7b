"""The volume with the Jupyter server's own environment, which all workspaces mount read-only."""

from __future__ import annotations

from contextlib import suppress

import docker
import docker.errors
from docker.models.volumes import Volume
from docker.types import Mount

from twinhub.images import Variant, image_name
from twinhub.names import INSTALLATION_LABEL, SERVER_ENVIRONMENT, server_volume
from twinhub.places import Places


def ensure_server_volume(places: Places, image_id: str) -> None:
    """Fill the volume of this image, and remove those of images that are gone and that no workspace uses.

    The engine copies an image's files into an empty volume when a container is
    created. Doing that here spares the first person the wait of some seconds.
    """
    installation = places.settings.name
    name = server_volume(installation, image_id)
    client = docker.from_env()
    try:
        volumes = server_volumes(client, installation)
        current = {name, *(server_volume(installation, one) for one in _image_ids(client, installation))}
        if not any(volume.name == name for volume in volumes):
            client.volumes.create(name, labels={INSTALLATION_LABEL: installation})
            _fill(client, name, image_id)
        for volume in volumes:
            if volume.name not in current:
                with suppress(docker.errors.APIError):  # still in use by a container of its time
                    volume.remove()
    finally:
        client.close()


def _image_ids(client: docker.DockerClient, installation: str) -> list[str]:
    """Give the images that workspaces may be started from, the older ones of a variant being rebuilt included."""
    ids = []
    for variant in Variant:
        with suppress(docker.errors.ImageNotFound):
            ids.append(str(client.images.get(image_name(installation, variant)).id))
    return ids


def _fill(client: docker.DockerClient, name: str, image_id: str) -> None:
    mount = Mount(target=SERVER_ENVIRONMENT, source=name, type="volume")
    try:
        client.containers.create(image_id, mounts=[mount]).remove()
    except docker.errors.DockerException:
        client.volumes.get(name).remove(force=True)
        raise


def server_volumes(client: docker.DockerClient, installation: str) -> list[Volume]:
    """Give the volumes of this kind that belong to the installation."""
    prefix = server_volume(installation, "")
    return [volume for volume in client.volumes.list(filters={"name": prefix}) if volume.name.startswith(prefix)]
