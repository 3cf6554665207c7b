"""Are the services that a twin needs reachable, and are the ports that it serves free."""

from __future__ import annotations

import http.client
import queue
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Final
from urllib.parse import quote, urlsplit

from lifecycle.descriptor import Port, Service
from lifecycle.descriptor.models import DEFAULT_PORTS
from lifecycle.explore.report import Finding, missing, ok, warning

PATIENCE_S: Final = 2.0
NAMES_PATIENCE_S: Final = 1.0
"""What looking up a name may take on top."""
MOST_SERVICES: Final = 100
WEB: Final = ("http", "https")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a service is."""

    scheme: str
    host: str
    port: int
    path: str

    def __str__(self) -> str:
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def explore_services(services: Sequence[Service]) -> list[Finding]:
    """Try all services at the same time; each has two seconds."""
    answers: queue.SimpleQueue[tuple[int, Finding]] = queue.SimpleQueue()
    tried = services[:MOST_SERVICES]
    for number, service in enumerate(tried):
        # Daemons: looking up a name cannot be cut short, and nobody should wait for it.
        threading.Thread(target=_try, args=(service, number, answers.put), daemon=True).start()
    found: dict[int, Finding] = {}
    deadline = monotonic() + PATIENCE_S + NAMES_PATIENCE_S
    while len(found) < len(tried):
        try:
            number, finding = answers.get(timeout=max(0.0, deadline - monotonic()))
        except queue.Empty:
            break
        found[number] = finding
    return [found.get(number, _unreachable(service, "no answer in time")) for number, service in enumerate(tried)]


def _try(service: Service, number: int, put: Callable[[tuple[int, Finding]], None]) -> None:
    put((number, _explore_service(service)))


def _explore_service(service: Service) -> Finding:
    subject = f"service {service.name}"
    if not service.address:
        what = f"The descriptor names no address of this {service.type} service, so it was not tried."
        return warning(subject, what, "Write an address, such as 'localhost:5672', or see to it yourself.")
    target = read_target(service)
    if target is None:
        what = f"'{service.address}' is no address."
        return missing(subject, what, "Write HOST:PORT or a URL into twin.yaml.")
    try:
        if target.scheme in WEB:
            return _judge(subject, target, _ask_web(target))
        socket.create_connection((target.host, target.port), PATIENCE_S).close()
    except ssl.SSLCertVerificationError as error:
        words = f"{target} answers, and its certificate is not trusted: {error.verify_message}."
        return warning(subject, words, "Ask whoever runs it for its authority's certificate.")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return _unreachable(service, _reason(error), target)
    return ok(subject, f"{target} accepts connections.")


def _judge(subject: str, target: Target, status: int) -> Finding:
    if status < 500:
        return ok(subject, f"{target} answers {status}.")
    what = f"{target} answers {status}, an error of its own."
    return missing(subject, what, "Look at its log, or ask whoever runs it.")


def read_target(service: Service) -> Target | None:
    """Take an address apart; None for what is none."""
    address = service.address if "://" in service.address else f"{service.type}://{service.address}"
    try:
        parts = urlsplit(address)
        scheme = {"opc.tcp": "opcua"}.get(parts.scheme, parts.scheme)
        port = parts.port or DEFAULT_PORTS.get(scheme) or DEFAULT_PORTS.get(service.type) or 0
        host = parts.hostname or ""
        host.encode("idna")
    except ValueError:  # also UnicodeError
        return None
    if not host or not port or not address.isprintable() or " " in address:
        return None
    return Target(
        scheme,
        host,
        port,
        quote(parts.path or "/", safe="/%:@") + (f"?{quote(parts.query, safe='=&%/?:@')}" if parts.query else ""),
    )


def _ask_web(target: Target) -> int:
    """Ask for the address's head; where it leads to is not followed."""
    if target.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            target.host, target.port, timeout=PATIENCE_S
        )
    else:
        connection = http.client.HTTPConnection(target.host, target.port, timeout=PATIENCE_S)
    try:
        connection.request("HEAD", target.path)
        return connection.getresponse().status
    finally:
        connection.close()


def _unreachable(service: Service, reason: str, target: Target | None = None) -> Finding:
    fix = "Start it (the phase 'create' may do so), or correct its address in twin.yaml."
    return missing(f"service {service.name}", f"{target or service.address} cannot be reached: {reason}.", fix)


def _reason(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return "there is no machine of that name"
    if isinstance(error, TimeoutError):
        return f"no answer within {PATIENCE_S:g} s"
    if isinstance(error, http.client.HTTPException | ValueError):
        return "what answers there does not speak HTTP"
    return (getattr(error, "strerror", None) or str(error))[:200].lower()


def explore_ports(ports: Sequence[Port], *, running: bool) -> list[Finding]:
    """Look whether the twin's ports can be taken; they are in use when the twin itself runs."""
    return [_explore_port(port, running) for port in ports]


def _explore_port(port: Port, running: bool) -> Finding:
    subject = f"port {port.name}"
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("", port.port))
        except PermissionError:
            return warning(subject, f"Port {port.port} may not be taken by users.", "Choose one from 1024 on.")
        except OSError:
            if running:
                return ok(subject, f"Port {port.port} is in use, and the twin runs.")
            fix = f"Stop what uses it (ss -ltnp 'sport = {port.port}' names it), or choose another port."
            return missing(subject, f"Port {port.port} is in use by another program.", fix)
    return ok(subject, f"Port {port.port} is free.")
