"""Open the gateway's ports and become Traefik: python -I listening.py PEOPLE'S… -- OUR OWN… -- COMMAND…, each NAME=HOST:PORT

Traefik gets the sockets as systemd hands them over, sd_listen_fds(3), each called like its entry point. It
has no setting for how long a browser may leave data without an answer, and Linux waits a quarter of an hour: so
long a laptop that was closed, or a network that was left, costs 150 kB. A socket that we open carries the limit to
every connection that comes by it. Our own ports have none: a page that waits for its browser may stop reading. And as root opens them, Traefik needs no right to low ports.

Imports nothing of ours: a gateway that was killed is back sooner.
"""

from __future__ import annotations

import fcntl
import os
import socket
import sys
from typing import Final, NoReturn

UNANSWERED_S: Final = 300
"""Longer than a train in a tunnel, or a download that is paused for a moment: Linux counts a browser that does not read
as one that does not answer."""
WAITING: Final = 4096
"""Connections that wait to be accepted; the kernel lowers it to its own limit."""
FIRST: Final = 3
"""The first descriptor that the other side looks at."""
ASIDE: Final = 64


def listen(address: str, *, unanswered_s: int = 0) -> socket.socket:
    """Listen at HOST:PORT; an IPv6 host stands in brackets, `[::]` takes IPv4 as well, a name is looked up as IPv4 first."""
    host, _, port = address.rpartition(":")
    found = socket.getaddrinfo(host.strip("[]") or "::", int(port), type=socket.SOCK_STREAM)
    family, kind, number, _, where = min(found, key=lambda one: one[0] != socket.AF_INET)
    opened = socket.socket(family, kind, number)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, unanswered_s * 1000)
    opened.bind(where)
    opened.listen(WAITING)
    return opened


def hand_over(sockets: dict[str, socket.socket], command: list[str]) -> NoReturn:
    """Become the command, with the sockets at the descriptors where it looks for them."""
    aside = [fcntl.fcntl(one.fileno(), fcntl.F_DUPFD_CLOEXEC, ASIDE) for one in sockets.values()]
    for place, descriptor in enumerate(aside, FIRST):
        os.dup2(descriptor, place, inheritable=True)
    about = {
        "LISTEN_PID": str(os.getpid()),
        "LISTEN_FDS": str(len(sockets)),
        "LISTEN_FDNAMES": ":".join(sockets),
    }
    os.execvpe(command[0], command, {**os.environ, **about})  # noqa: S606 - what supervisord was told to run


def main(words: list[str]) -> NoReturn:
    """Read the command line, open, hand over."""
    people, end = words.index("--"), words.index("--", words.index("--") + 1)
    sockets = {}
    for place, word in enumerate(words[:end]):
        name, _, address = word.partition("=")
        if place == people:
            continue
        try:
            sockets[name] = listen(address, unanswered_s=UNANSWERED_S if place < people else 0)
        except OSError as error:
            sys.exit(f"The gateway cannot listen on {address}: {error.strerror}. 'twinhub doctor' tells who does.")
    hand_over(sockets, words[end + 1 :])


if __name__ == "__main__":
    main(sys.argv[1:])
