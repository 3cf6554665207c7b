"""Keep workspaces away from this machine's ports, private networks and cloud metadata.

The rules stand in two chains of the installation's own, reached from INPUT and
from DOCKER-USER (which the engine keeps for such rules) for packets that come
in on the workspaces' bridge. They are looked at again while the platform runs,
as anybody may flush a table and an engine rewrites its part when it restarts.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gateway.entry_points import plain_port
from twinhub.errors import PublicError
from twinhub.operate.firewall_rules import MARK, Facts, Plan, chain_names, plan_rules
from twinhub.operate.network import Bridge, find_bridge
from twinhub.places import Places
from twinhub.settings.reach import Reach, parse_reach

RESOLVERS: Final = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
ENGINE_SETTINGS: Final = Path("/etc/docker/daemon.json")
TOOLS: Final = {
    4: ("iptables", "iptables-nft", "iptables-legacy"),
    6: ("ip6tables", "ip6tables-nft", "ip6tables-legacy"),
}
DOCKER_CHAIN: Final = "DOCKER-USER"
PROXIES: Final = "proxies.json"


class FirewallUnusable(PublicError):
    """The rules that keep workspaces in cannot be set."""

    code = "firewall"
    status = 500


@dataclass(frozen=True)
class Tool:
    """One of the machine's packet filters for one family of addresses, and the chain for what goes onward."""

    program: str
    version: int
    onward_parent: str

    def run(self, *words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run it; whatever it answers is given back."""
        program = self.program if given is None else f"{self.program}-restore"
        return subprocess.run(
            [program, "-w", "5", *words], input=given, capture_output=True, text=True, check=False, timeout=30
        )

    def rules(self, chain: str) -> list[str] | None:
        """Give a chain's rules in order; None when there is no such chain."""
        done = self.run("-S", chain)
        if done.returncode:
            return None
        return [line for line in done.stdout.splitlines() if line.startswith("-A ")]


def ensure_firewall(places: Places, proxies: Mapping[str, str] | None = None) -> bool:
    """Make the rules what they must be; tell whether anything was missing. Raises FirewallUnusable.

    `proxies` are the installing shell's proxy settings, which workspaces use
    too; without them those of the last time hold.
    """
    facts = gather_facts(places, proxies)
    mended = [_ensure(tool, facts) for tool in _tools()]
    return any(mended)


def check_firewall(places: Places) -> list[str]:
    """Name what of the rules is not as it must be; raises FirewallUnusable."""
    facts = gather_facts(places)
    return [
        f"{tool.program}: {problem}"
        for tool in _tools()
        for problem in _problems(tool, facts.interface, plan_rules(facts, tool.version))
    ]


def remove_firewall(places: Places) -> None:
    """Take the rules away, as after the last workspace is gone."""
    if os.getuid() != 0:
        return
    for tool in _found_tools():
        for chain, parents in zip(chain_names(places.settings.name), _parents(tool), strict=True):
            _unhook(tool, parents, chain)
            if tool.rules(chain) is not None:
                tool.run("-F", chain)
                tool.run("-X", chain)


def _parents(tool: Tool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return ("INPUT",), tuple({"FORWARD", tool.onward_parent})


def _tools() -> list[Tool]:
    if os.getuid() != 0:
        raise FirewallUnusable(
            "Only root can set rules for the network, and this installation is not root's.",
            "Workspaces can reach this machine's ports and private networks: install as root where people you do not "
            "trust have accounts.",
        )
    tools = _found_tools()
    if not any(tool.version == 4 for tool in tools):
        raise FirewallUnusable(
            "No iptables can be used on this machine.", "apt-get install iptables, then 'twinhub up'."
        )
    return tools


def _found_tools() -> list[Tool]:
    """Find, for each family of addresses, the packet filter that the engine uses."""
    found = []
    for version, programs in TOOLS.items():
        usable = [
            Tool(program, version, "FORWARD")
            for program in programs
            if shutil.which(program) and Tool(program, version, "").rules("INPUT") is not None
        ]
        ours = [tool for tool in usable if tool.rules(DOCKER_CHAIN) is not None]
        if ours:
            found.append(Tool(ours[0].program, version, DOCKER_CHAIN))
        elif usable:
            found.append(usable[0])
    return found


def _ensure(tool: Tool, facts: Facts) -> bool:
    plan = plan_rules(facts, tool.version)
    if not _problems(tool, facts.interface, plan):
        return False
    done = tool.run("--noflush", given=plan.restore)
    if done.returncode:
        raise FirewallUnusable(
            f"{tool.program}-restore refused our rules: {' '.join(done.stderr.split())[:300]}.",
            "The kernel may lack a module (xt_conntrack, xt_comment); 'twinhub doctor' looks again.",
        )
    for parent, chain in (("INPUT", plan.to_host), (tool.onward_parent, plan.onward)):
        _unhook(tool, _parents(tool)[chain == plan.onward], chain)
        tool.run("-I", parent, "1", "-i", facts.interface, "-j", chain)
    problems = _problems(tool, facts.interface, plan)
    if problems:
        raise FirewallUnusable(
            f"The rules for the workspaces' network do not hold: {'; '.join(problems)}.",
            "Another program may rewrite them at the same time; run 'twinhub up' again.",
        )
    return True


def _problems(tool: Tool, interface: str, plan: Plan) -> list[str]:
    """Compare what stands with the plan."""
    problems = []
    for chain, wanted in ((plan.to_host, plan.to_host_rules), (plan.onward, plan.onward_rules)):
        there = tool.rules(chain) or []
        if len(there) != len(wanted) or f"twinhub {plan.digest}" not in there[0]:
            problems.append(f"the chain {chain} is missing or another one")
    for parent, chain in (("INPUT", plan.to_host), (tool.onward_parent, plan.onward)):
        before = [rule for rule in tool.rules(parent) or [] if f"-j {MARK}" in rule]
        first = (tool.rules(parent) or [])[: len(before)]
        # Above any other rule, which might let through what ours would have refused.
        if f"-A {parent} -i {interface} -j {chain}" not in first:
            problems.append(f"{parent} does not lead to {chain} first")
    return problems


def _unhook(tool: Tool, parents: Iterable[str], chain: str) -> None:
    """Remove every jump to a chain, also from a bridge that is no more."""
    for parent in parents:
        for rule in tool.rules(parent) or []:
            if rule.endswith(f" -j {chain}"):
                tool.run("-D", *rule.split()[1:])


# --- what the rules follow from -----------------------------------------------------


def gather_facts(places: Places, proxies: Mapping[str, str] | None = None) -> Facts:
    """Look at the bridge, the resolvers and the settings; raises NetworkUnusable."""
    bridge: Bridge = find_bridge(places)
    known = _remember(places.run / PROXIES, proxies)
    return Facts(
        installation=places.settings.name,
        interface=bridge.interface,
        subnets=bridge.subnets,
        bridge_address=bridge.address,
        hub_port=places.hub_port,
        gateway_ports=tuple(port for port in (places.settings.port, plain_port(places), places.mqtt_port) if port),
        broker_port=places.realtime_broker_port if places.settings.realtime.enabled else None,
        resolvers=tuple(_resolvers()),
        openings=(*map(parse_reach, places.settings.workspaces.reach), *_proxy_openings(known.values())),
    )


def _remember(file: Path, proxies: Mapping[str, str] | None) -> Mapping[str, str]:
    """Keep addresses of proxies, without passwords that may stand in them."""
    if proxies is not None:
        plain = {name: _without_password(value) for name, value in proxies.items() if "no_proxy" not in name.lower()}
        part = file.with_suffix(".part")
        part.write_text(json.dumps(plain))
        part.replace(file)
        return plain
    try:
        return dict(json.loads(file.read_text()))
    except (OSError, ValueError):
        return {}


def _without_password(url: str) -> str:
    parts = urlsplit(url if "//" in url else f"//{url}")
    return f"//{parts.netloc.rpartition('@')[2]}"


def _proxy_openings(urls: Iterable[str]) -> list[Reach]:
    found = set()
    for url in urls:
        with suppress(ValueError, OSError):
            parts = urlsplit(url)
            for *_, address in socket.getaddrinfo(parts.hostname, None, type=socket.SOCK_STREAM):
                found.add(Reach(ip_network(str(address[0]).partition("%")[0]), parts.port or 80))
    return sorted(found, key=str)


def _resolvers() -> list[IPv4Network | IPv6Network]:
    """Give the name servers that the engine asks on behalf of containers."""
    names = _engine_resolvers()
    for file in RESOLVERS:
        if not names:
            lines = file.read_text().splitlines() if file.exists() else []
            names = [line.split()[1] for line in lines if line.startswith("nameserver ") and len(line.split()) > 1]
            # systemd's own stub is of no use in a container: the engine reads the second file then.
            names = [name for name in names if not name.startswith("127.") and name != "::1"]
    found = set()
    for name in names:
        with suppress(ValueError):
            found.add(ip_network(ip_address(name.partition("%")[0])))
    return sorted(found, key=str)


def _engine_resolvers() -> list[str]:
    try:
        return [str(name) for name in json.loads(ENGINE_SETTINGS.read_text()).get("dns", [])]
    except (OSError, ValueError, AttributeError):
        return []
