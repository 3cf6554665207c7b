"""What workspaces may reach, walked through rule by rule as the kernel would."""

from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network

import pytest

from twinhub.operate.firewall_rules import Facts, chain_names, plan_rules
from twinhub.settings.reach import parse_reach

FACTS = Facts(
    installation="twinhub",
    interface="br-twinhub",
    subnets=(ip_network("172.30.0.0/16"), ip_network("fd00:30::/64")),
    bridge_address="172.30.0.1",
    hub_port=8001,
    gateway_ports=(443, 80),
    resolvers=(ip_network("10.0.0.53"), ip_network("2001:db8::53")),
)
WORKSPACE = {4: "172.30.0.7", 6: "fd00:30::7"}


@dataclass(frozen=True)
class Packet:
    """The first of a new connection."""

    to: str
    port: int = 443
    protocol: str = "tcp"
    source: str = ""

    @property
    def version(self) -> int:
        return ip_address(self.to).version


def matches(rule: str, packet: Packet) -> bool:
    """Tell whether a rule is about this packet; an option that is not known here fails the test."""
    words = rule.split()
    expected = True
    while words:
        option = words.pop(0)
        if option == "!":
            expected = False
            continue
        value = words.pop(0)
        source = packet.source or WORKSPACE[packet.version]
        found = {
            "-s": lambda value=value, source=source: ip_address(source) in ip_network(value),
            "-d": lambda value=value: ip_address(packet.to) in ip_network(value),
            "-p": lambda value=value: value == packet.protocol,
            "--dport": lambda value=value: int(value) == packet.port,
            "-m": lambda: True,
            "--ctstate": lambda: False,  # it is a new connection
            "--icmpv6-type": lambda: True,
            "-j": lambda: True,
        }[option]()
        if found != expected:
            return False
        expected = True
    return True


def fate(rules: tuple[str, ...], packet: Packet) -> str:
    """Give the target of the first rule that matches."""
    return next(rule.rpartition("-j ")[2] for rule in rules if matches(rule, packet))


def here(packet: Packet, facts: Facts = FACTS) -> str:
    """What happens to a packet for this machine."""
    return fate(plan_rules(facts, packet.version).to_host_rules, packet)


def onward(packet: Packet, facts: Facts = FACTS) -> str:
    """What happens to a packet for others; RETURN leaves it to the engine, which lets it out."""
    return fate(plan_rules(facts, packet.version).onward_rules, packet)


@pytest.mark.parametrize(
    ("packet", "target"),
    [
        (Packet("172.30.0.1", 8001), "ACCEPT"),
        (Packet("172.30.0.1", 443), "ACCEPT"),
        (Packet("192.0.2.1", 80), "ACCEPT"),
        (Packet("10.0.0.53", 53, "udp"), "ACCEPT"),
        (Packet("192.0.2.1", 8001), "REJECT"),  # the hub's API is on the bridge's address alone
        (Packet("172.30.0.1", 22), "REJECT"),
        (Packet("172.30.0.1", 8002), "REJECT"),
        (Packet("172.30.0.1", 2375), "REJECT"),
        (Packet("10.0.0.53", 22), "REJECT"),
        (Packet("172.30.0.1", 443, "udp"), "REJECT"),
        (Packet("fd00:30::1", 443), "ACCEPT"),
        (Packet("fd00:30::1", 8001), "REJECT"),
        (Packet("2001:db8::1", 22), "REJECT"),
    ],
)
def test_of_this_machine_only_the_gateway_the_hubs_api_and_names_are_reached(packet: Packet, target: str) -> None:
    """Databases that listen on all addresses are meant for others."""
    assert here(packet) == target


@pytest.mark.parametrize(
    "address",
    ["10.1.2.3", "172.17.0.2", "192.168.1.1", "169.254.169.254", "168.63.129.16", "192.0.0.192", "100.100.100.200",
     "127.0.0.1", "224.0.0.1", "255.255.255.255", "fd00::1", "fe80::1", "::1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
     "fd00:ec2::254"],
)  # fmt: skip
def test_private_networks_and_metadata_are_closed(address: str) -> None:
    """A cloud's metadata hands out the machine's own credentials."""
    assert onward(Packet(address, 80)) == "REJECT"


@pytest.mark.parametrize("address", ["151.101.0.223", "2606:4700::1111"])
def test_the_internet_is_open(address: str) -> None:
    """Or nobody installs anything."""
    assert onward(Packet(address)) == "RETURN"


@pytest.mark.parametrize(
    "packet", [Packet("151.101.0.223", source="172.31.0.9"), Packet("2606:4700::1", source="fd00:31::9")]
)
def test_nobody_speaks_in_somebody_elses_name(packet: Packet) -> None:
    """An answer to a forged address goes to a neighbour."""
    assert onward(packet) == "DROP"
    assert here(replace(packet, to=str(FACTS.bridge_address) if packet.version == 4 else "fd00:30::1")) == "DROP"


def test_what_an_operator_opens_is_open_and_nothing_beside_it() -> None:
    """One database of the institute, not its network."""
    facts = replace(FACTS, openings=(parse_reach("10.1.2.3:5432"), parse_reach("[fd00::5]:1883")))
    assert onward(Packet("10.1.2.3", 5432), facts) == "RETURN"
    assert onward(Packet("fd00::5", 1883, "udp"), facts) == "RETURN"
    assert onward(Packet("10.1.2.3", 22), facts) == "REJECT"
    assert onward(Packet("10.1.2.4", 5432), facts) == "REJECT"
    assert here(Packet("10.1.2.3", 5432), facts) == "ACCEPT"  # should the address be this machine's own


def test_a_network_that_is_opened_opens_no_port_of_this_machine() -> None:
    """This machine has an address in it, and ports that nobody has thought of."""
    facts = replace(FACTS, openings=(parse_reach("10.8.0.0/16"),))
    assert onward(Packet("10.8.1.1", 5432), facts) == "RETURN"
    assert here(Packet("10.8.0.1", 5432), facts) == "REJECT"


@pytest.mark.parametrize("version", [4, 6])
def test_both_chains_are_replaced_at_once_and_end_with_a_decision(version: int) -> None:
    """A chain that ends without one hands the packet to whatever rules stand behind it."""
    plan = plan_rules(FACTS, version)
    assert plan.to_host_rules[-1] == "-j REJECT"
    assert plan.onward_rules[-1] == "-j RETURN"
    lines = plan.restore.splitlines()
    assert (lines[0], lines[-1]) == ("*filter", "COMMIT")
    assert lines[1:3] == [f":{chain} - [0:0]" for chain in chain_names("twinhub")]
    assert len(lines) == 4 + len(plan.to_host_rules) + len(plan.onward_rules)
    assert plan.restore.count(plan.digest) == 2


def test_workers_reach_the_broker_on_the_bridge_and_nobody_elsewhere() -> None:
    """Without it no model runs; at another address of the machine it would be a port that nobody meant to open."""
    with_broker = replace(FACTS, broker_port=8006)
    assert here(Packet("172.30.0.1", 8006), with_broker) == "ACCEPT"
    assert here(Packet("192.0.2.1", 8006), with_broker) == "REJECT"
    assert here(Packet("172.30.0.1", 8006)) == "REJECT"


def test_another_fact_is_another_digest() -> None:
    """By it, it is seen that rules of yesterday's settings still stand."""
    digests = {
        plan_rules(facts, 4).digest
        for facts in (FACTS, replace(FACTS, hub_port=8003), replace(FACTS, openings=(parse_reach("10.1.2.3:5432"),)))
    }
    assert len(digests) == 3


def test_the_longest_name_fits_into_the_kernels_names() -> None:
    """A longer chain name is refused, and then no rule stands at all."""
    assert all(len(chain) <= 28 for chain in chain_names("a" * 21))
