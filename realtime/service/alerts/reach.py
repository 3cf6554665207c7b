"""Where deliveries may go: names are looked up once, and only what was looked at is connected to.

An owner's webhook must not reach what only this machine can: its own services,
the network behind it, or a cloud's metadata service.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from realtime.service.alerts.errors import PlaceClosed

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address
IsOwn = Callable[[Address], bool]
Lookup = Callable[[str, int], Awaitable[list[str]]]
LOOKUP_S: Final = 10.0
CARRIER: Final = ip_network("100.64.0.0/10")
"""Shared by providers with their customers; Python calls it neither private nor global. Alibaba's metadata are in it."""
TRANSLATED: Final = ip_network("64:ff9b::/96")
CLOSED: Final = (
    CARRIER,
    ip_network("192.88.99.0/24"),
    ip_network("::/96"),
    ip_network("::ffff:0:0:0/96"),
    ip_network("64:ff9b:1::/48"),
)
"""Python calls most of them global; some lead to IPv4 addresses that they carry."""
DISCARD: Final = 9


async def look_up(host: str, port: int) -> list[str]:
    """Ask the machine's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


class Reach:
    """Decides which addresses are open to deliveries."""

    def __init__(
        self, open_networks: Sequence[Network] = (), lookup: Lookup = look_up, is_own: IsOwn | None = None
    ) -> None:
        self._open = tuple(open_networks)
        self._lookup = lookup
        self._is_own = is_own or is_of_this_machine

    async def address_of(self, host: str, port: int) -> str:
        """Give the address to connect to; raises PlaceClosed where any that the name stands for is closed."""
        try:
            async with asyncio.timeout(LOOKUP_S):
                found = await self._lookup(host, port)
        except (OSError, TimeoutError, UnicodeError) as error:
            raise PlaceClosed(f"The name '{host[:100]}' cannot be looked up.", "Check how it is spelled.") from error
        # One closed address is enough: which of them is used must not be a matter of luck.
        for text in found:
            if not self._is_open(_plain(ip_address(text.partition("%")[0]))):
                raise PlaceClosed(
                    f"'{host[:100]}' is {text}, which is not a public address.",
                    "Use a public one, or ask the operator to add its network to 'realtime.alerts.open_networks'.",
                )
        if not found:
            raise PlaceClosed(f"The name '{host[:100]}' stands for no address.", "Check how it is spelled.")
        return found[0]

    def _is_open(self, address: Address) -> bool:
        if any(address in network for network in self._open if network.version == address.version):
            return True
        if not address.is_global or address.is_multicast or any(address in network for network in CLOSED):
            return False
        return not self._is_own(address)


def is_of_this_machine(address: Address) -> bool:
    """Tell whether an address is one of the machine's own: nothing is sent to find out.

    Packets to an address of one's own have that address as their source. To bind to it
    would tell less: some machines let programs bind to addresses that they do not have.
    """
    with socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((str(address), DISCARD))
            return ip_address(str(probe.getsockname()[0]).partition("%")[0]) == address
        except OSError:
            return False  # there is no way there at all


def _plain(address: Address) -> Address:
    """Take an IPv4 address out of the IPv6 address that carries it."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None:
            return inner
        if address in TRANSLATED:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
