"""How well an installation is guarded: every demand, whether it is met, what it means, and the remedy.

Nothing here keeps the platform from running. A trial on one's own machine meets
few of these, and need not; a server for many people should meet them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Final

from gateway.pairs import days_left
from twinhub.operate.certificates import NoCertificate, read_served
from twinhub.operate.checks import Finding
from twinhub.operate.supervisor import ProcessState
from twinhub.places import Places

ENDS_SOON_DAYS: Final = 14
ENGINE_SOCKET: Final = Path("/var/run/docker.sock")


def examine(places: Places, processes: list[ProcessState]) -> list[Finding]:
    """Give every demand; never raises for what it finds."""
    return [
        *_transport(places),
        _subdomains(places),
        *_limits(places),
        *_people(places),
        *_containers(places),
        *_disk(places),
        *_accounts_of_processes(processes),
        *_mounted(places),
    ]


def _demand(name: str, met: bool, good: str, bad: str, fix: str) -> Finding:
    return Finding(name, met, good) if met else Finding(name, False, bad, fix)


def _reachable(places: Places) -> bool:
    try:
        return not ip_address(places.settings.address).is_loopback
    except ValueError:
        return places.settings.address != "localhost"


def _transport(places: Places) -> Iterator[Finding]:
    gateway = places.settings.gateway
    if not gateway.encrypted:
        if gateway.trusted_proxies:
            yield _demand(
                "encryption",
                places.settings.address not in ("0.0.0.0", "::", ""),  # noqa: S104 - compared with
                "a proxy in front encrypts; see that it does",
                "The gateway listens on all addresses in plain HTTP, so people can come past the proxy that encrypts.",
                "Set 'address' to the one that the proxy uses.",
            )
            return
        yield _demand(
            "encryption",
            not _reachable(places),
            "plain HTTP, and only this machine reaches it",
            "Passwords, tokens and files cross the network readable: the gateway listens on "
            f"{places.settings.address} in plain HTTP.",
            "Set 'gateway.tls' to files, acme or local (docs/operate/gateway.md), or 'address' to 127.0.0.1.",
        )
        return
    yield from _certificate(places)
    yield _demand(
        "encryption kept",
        gateway.hsts_days != 0 and gateway.tls != "local",
        "browsers insist on HTTPS once they were here",
        "A browser that is led to http:// once can be read and changed on the way.",
        "Leave out 'gateway.hsts_days', with a certificate that every browser trusts.",
    )


def _certificate(places: Places) -> Iterator[Finding]:
    gateway = places.settings.gateway
    yield _demand(
        "authority",
        gateway.tls != "local",
        "the certificate is of an authority that browsers can know",
        "People have to import the authority of this machine, or click a warning away, and learn to.",
        "Fit for a trial. Otherwise set 'gateway.tls' to files or acme.",
    )
    try:
        left = days_left(read_served(places))
    except NoCertificate as error:
        yield Finding("certificate", False, error.what, error.fix)
        return
    yield _demand(
        "certificate",
        left >= ENDS_SOON_DAYS,
        f"holds for {left} more days",
        f"The certificate ends in {left} days." if left >= 0 else "The certificate has ended.",
        "Renew it; the gateway takes the new files without a restart."
        if gateway.tls == "files"
        else "It should have been renewed by itself: 'twinhub logs gateway' and 'twinhub logs upkeep' tell why not.",
    )


def _subdomains(places: Places) -> Finding:
    return _demand(
        "own hosts",
        places.settings.gateway.subdomains,
        "each workspace has a host of its own",
        "To a browser a workspace and the platform are one site: what people run in their own, from another's assets "
        "for instance, can do there what they can. Nobody's browser gets into another's workspace.",
        "Set 'gateway.subdomains: true' (needs a wildcard entry in DNS and a certificate for it).",
    )


def _limits(places: Places) -> Iterator[Finding]:
    gateway = places.settings.gateway
    yield _demand(
        "limits",
        bool(gateway.sign_ins_per_minute and gateway.requests_per_second),
        f"{gateway.sign_ins_per_minute} attempts to sign in a minute, {gateway.requests_per_second} requests a second "
        "for one address",
        "One machine may try passwords, or ask, as fast as it can.",
        "Leave out 'gateway.sign_ins_per_minute' and 'gateway.requests_per_second'.",
    )
    everybody = [network for network in gateway.trusted_proxies if ip_network(network, strict=False).prefixlen < 8]
    yield _demand(
        "trusted proxies",
        not everybody,
        "only proxies of yours may say from where a request came" if gateway.trusted_proxies else "none is believed",
        f"Everybody within {', '.join(everybody)} may claim any address, and so has no limits and no trace in the log.",
        "Name just the proxies in 'gateway.trusted_proxies'.",
    )
    yield _demand(
        "access log",
        gateway.access_log,
        "requests are noted",
        "After an incident nobody can tell who asked for what.",
        "Leave out 'gateway.access_log'.",
    )


def _people(places: Places) -> Iterator[Finding]:
    yield _demand(
        "sign-up",
        not places.settings.accounts.sign_up or not _reachable(places),
        "administrators decide who has an account",
        "Whoever reaches the sign-in page may ask for an account; an administrator still has to admit them.",
        "Set 'accounts.sign_up: false', and invite people instead.",
    )


def _containers(places: Places) -> Iterator[Finding]:
    yield _demand(
        "sudo",
        not places.settings.workspaces.sudo,
        "nobody is root, in a workspace neither",
        "People may become root inside their own workspace, with few capabilities; it is the machine's own root, "
        "should it ever get out. The engine's 'userns-remap' is no remedy: files would be nobody's in a workspace.",
        "Set 'workspaces.sudo: false' where nobody needs apt.",
    )
    if ENGINE_SOCKET.exists():
        mode = ENGINE_SOCKET.stat().st_mode & 0o777
        yield _demand(
            "engine socket",
            not mode & 0o007,
            f"mode {mode:o}",
            f"Every account of this machine may use {ENGINE_SOCKET} (mode {mode:o}), and so is root.",
            f"chmod o-rwx {ENGINE_SOCKET}",
        )


def _disk(places: Places) -> Iterator[Finding]:
    yield _demand(
        "disk of workspaces",
        places.settings.workspaces.disk_gb is not None,
        f"at most {places.settings.workspaces.disk_gb} GB each",
        "One person can fill the disk for all from within their workspace.",
        "Set 'workspaces.disk_gb'.",
    )
    yield _demand(
        "disk of the library",
        places.settings.library.quota_gb is not None,
        f"at most {places.settings.library.quota_gb} GB each",
        "One person can fill the disk for all by uploads.",
        "Set 'library.quota_gb'.",
    )


def _accounts_of_processes(processes: list[ProcessState]) -> Iterator[Finding]:
    for process in processes:
        if process.name in ("hub", "gateway", "web", "libms", "realtime", "realtime-broker") and process.pid:
            yield _demand(
                f"account of {process.name}",
                _user_id(process.pid) != 0,
                "not root",
                f"The {process.name} runs as root: a flaw in it is the whole machine's.",
                "Update: './install.sh' of a newer version gives it an account of its own.",
            )


def _user_id(pid: int) -> int:
    """Give the account of a process; that of nobody for one that has ended meanwhile."""
    try:
        return Path(f"/proc/{pid}").stat().st_uid
    except OSError:
        return -1


def _mounted(places: Places) -> Iterator[Finding]:
    for name, service in places.settings.gateway.services.items():
        yield _demand(
            f"service {name}",
            service.sign_in,
            f"{service.path} asks for a sign-in",
            f"Everybody who reaches the platform reaches {service.path} without a sign-in.",
            f"Set 'gateway.services.{name}.sign_in: true', unless it asks for one by itself.",
        )
