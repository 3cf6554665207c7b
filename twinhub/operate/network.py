"""The network that all workspaces share, and through which they reach the hub."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

import docker
import docker.errors
import requests
from docker.models.networks import Network

from twinhub.errors import PublicError
from twinhub.names import INSTALLATION_LABEL
from twinhub.places import Places

TROUBLES: Final = (docker.errors.DockerException, requests.exceptions.RequestException, IndexError, KeyError)
"""Of an engine that is silent, or restarts, and of a network that is not as we made it."""


class NetworkUnusable(PublicError):
    """The workspaces' network cannot be made or has no address."""

    code = "network"
    status = 500


def network_name(places: Places) -> str:
    """Name the network of this installation."""
    return places.settings.name


def ensure_network(places: Places) -> str:
    """Make the network where it is missing; give the address that the host has on it.

    Containers on it cannot reach each other (no inter-container traffic).
    """
    name = network_name(places)
    try:
        with closing(docker.from_env()) as client:
            found = client.networks.list(names=[f"^{name}$"])
            network = found[0] if found else _create(client, name)
            network.reload()
            gateway = network.attrs["IPAM"]["Config"][0].get("Gateway")
    except TROUBLES as error:
        raise NetworkUnusable(
            f"The container network '{name}' cannot be used: {error}.",
            "Look at 'docker network ls'; when address pools are used up, remove networks that nobody needs.",
        ) from error
    if not gateway:
        raise NetworkUnusable(f"The container network '{name}' has no gateway address.", f"docker network rm {name}")
    return str(gateway)


@dataclass(frozen=True)
class Bridge:
    """The workspaces' network as this machine's kernel has it."""

    interface: str
    address: str
    subnets: tuple[IPv4Network | IPv6Network, ...]


def find_bridge(places: Places) -> Bridge:
    """Look the network up; raises NetworkUnusable."""
    name = network_name(places)
    try:
        with closing(docker.from_env()) as client:
            attributes = client.networks.get(name).attrs
        pools = attributes["IPAM"]["Config"]
        options = attributes.get("Options") or {}
        return Bridge(
            options.get("com.docker.network.bridge.name") or f"br-{attributes['Id'][:12]}",
            str(pools[0]["Gateway"]),
            tuple(ip_network(pool["Subnet"]) for pool in pools),
        )
    except TROUBLES as error:
        raise NetworkUnusable(f"The container network '{name}' cannot be looked at: {error}.", "twinhub up") from error


def _create(client: docker.DockerClient, name: str) -> Network:
    return client.networks.create(
        name,
        driver="bridge",
        options={"com.docker.network.bridge.enable_icc": "false"},
        labels={INSTALLATION_LABEL: name},
    )


def remove_network(places: Places) -> None:
    """Remove the network, as after the last workspace is gone."""
    client = docker.from_env()
    try:
        for network in client.networks.list(names=[f"^{network_name(places)}$"]):
            network.remove()
    finally:
        client.close()
