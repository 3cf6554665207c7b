"""What workspaces may reach, as rules for the kernel's packet filter. Pure: the world is in firewall.py."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from twinhub.settings.reach import Reach

CLOSED_4: Final = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",  # shared address space, Alibaba's metadata among it
    "127.0.0.0/8",
    "168.63.129.16/32",  # Azure's platform services
    "169.254.0.0/16",  # metadata of nearly every cloud
    "172.16.0.0/12",
    "192.0.0.0/24",  # Oracle's metadata
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "240.0.0.0/4",
)
CLOSED_6: Final = ("::/128", "::1/128", "::ffff:0:0/96", "64:ff9b::/96", "fc00::/7", "fe80::/10", "ff00::/8")
MARK: Final = "TWH-"
"""Every chain of every installation starts with it."""


@dataclass(frozen=True)
class Facts:
    """All that the rules of one installation follow from."""

    installation: str
    interface: str
    """The bridge of its workspaces."""
    subnets: tuple[IPv4Network | IPv6Network, ...]
    bridge_address: str
    hub_port: int
    gateway_ports: tuple[int, ...]
    """Those that everybody may reach, at whatever address: of the gateway, and of devices."""
    broker_port: int | None = None
    """On the bridge, for the workers of real-time twins; None where there are none."""
    resolvers: tuple[IPv4Network | IPv6Network, ...] = ()
    openings: tuple[Reach, ...] = field(default=())
    """What the operator opened, and the proxies through which workspaces reach the internet."""


@dataclass(frozen=True)
class Plan:
    """The two chains of one installation, for one family of addresses."""

    to_host: str
    """Name of the chain for what is addressed to this machine."""
    onward: str
    """Name of the chain for what is addressed to others."""
    to_host_rules: tuple[str, ...]
    onward_rules: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Tell two plans apart."""
        return hashlib.sha256("\n".join((*self.to_host_rules, *self.onward_rules)).encode()).hexdigest()[:16]

    @property
    def restore(self) -> str:
        """Give the text with which iptables-restore replaces both chains at once."""
        mark = f'-m comment --comment "twinhub {self.digest}"'
        lines = ["*filter", f":{self.to_host} - [0:0]", f":{self.onward} - [0:0]"]
        for chain, rules in ((self.to_host, self.to_host_rules), (self.onward, self.onward_rules)):
            lines += [f"-A {chain} {rules[0]} {mark}", *(f"-A {chain} {rule}" for rule in rules[1:])]
        return "\n".join((*lines, "COMMIT", ""))


ESTABLISHED: Final = "-m conntrack --ctstate ESTABLISHED,RELATED"


def chain_names(installation: str) -> tuple[str, str]:
    """Name the chains; the kernel takes 28 characters, and an installation's name has at most 21."""
    return f"{MARK}{installation}-I", f"{MARK}{installation}-F"


def plan_rules(facts: Facts, version: int) -> Plan:
    """Give the rules for IPv4 (4) or IPv6 (6)."""
    to_host = [f"{ESTABLISHED} -j ACCEPT"]
    onward = [f"{ESTABLISHED} -j RETURN"]
    sources = [subnet for subnet in facts.subnets if subnet.version == version]
    if len(sources) == 1:
        # Nobody speaks in somebody else's name.
        to_host.append(f"! -s {sources[0]} -j DROP")
        onward.append(f"! -s {sources[0]} -j DROP")
    if version == 4:
        for port in (facts.hub_port, facts.broker_port):
            if port is not None:
                to_host.append(f"-d {facts.bridge_address}/32 -p tcp --dport {port} -j ACCEPT")
    else:
        to_host.insert(1, "-p ipv6-icmp --icmpv6-type neighbour-solicitation -j ACCEPT")
        to_host.insert(2, "-p ipv6-icmp --icmpv6-type neighbour-advertisement -j ACCEPT")
    to_host += [f"-p tcp --dport {port} -j ACCEPT" for port in facts.gateway_ports]
    for resolver in facts.resolvers:
        if resolver.version == version:
            words = [f"-d {resolver} -p {protocol} --dport 53 -j" for protocol in ("udp", "tcp")]
            to_host += [f"{word} ACCEPT" for word in words]
            onward += [f"{word} RETURN" for word in words]
    for opening in facts.openings:
        if opening.network.version == version:
            words = _matches(opening)
            # A whole network may hold addresses of this machine, whose ports nobody has meant.
            to_host += [f"{word} -j ACCEPT" for word in words if opening.port is not None]
            onward += [f"{word} -j RETURN" for word in words]
    to_host.append("-j REJECT")
    onward += [f"-d {network} -j REJECT" for network in (CLOSED_4 if version == 4 else CLOSED_6)]
    onward.append("-j RETURN")
    return Plan(*chain_names(facts.installation), tuple(to_host), tuple(onward))


def _matches(opening: Reach) -> list[str]:
    if opening.port is None:
        return [f"-d {opening.network}"]
    return [f"-d {opening.network} -p {protocol} --dport {opening.port}" for protocol in ("tcp", "udp")]
