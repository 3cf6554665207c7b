"""Addresses of private networks that an operator opens to workspaces."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network


@dataclass(frozen=True)
class Reach:
    """One address or network; `port` is None for all ports."""

    network: IPv4Network | IPv6Network
    port: int | None


def parse_reach(text: str) -> Reach:
    """Read '10.1.2.3:5432', '10.1.0.0/16', 'fd00::/64' or '[fd00::5]:5432'; raises ValueError in words."""
    address, port = text, ""
    if text.startswith("["):
        address, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
    elif text.count(":") == 1:
        address, _, port = text.partition(":")
    try:
        network = ip_network(address)
        number = int(port) if port else None
    except ValueError as error:
        raise ValueError(
            f"'{text[:60]}' is not an address such as 10.1.2.3:5432 or a network such as 10.1.0.0/16"
        ) from error
    if number is not None and not 1 <= number <= 65535:
        raise ValueError(f"'{text[:60]}' names a port that does not exist")
    return Reach(network, number)


def check_reach(text: str) -> str:
    """Let a well-formed one through as it is; raises ValueError in words."""
    parse_reach(text)
    return text
