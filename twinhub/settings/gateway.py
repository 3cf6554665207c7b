"""How browsers reach the platform."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from twinhub.settings.section import Port, Section

OUR_PATHS: Final = ("app", "lib", "hub", "user", "services", "realtime", "twins", "api", "gateway", ".well-known")
"""First parts of addresses that are ours, or will be."""
HOST: Final = r"^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$"


def _word(value: Any) -> Any:
    """Give the word that a bare `off` in YAML was meant as."""
    return "off" if value is False else value


def _network(value: str) -> str:
    try:
        ip_network(value, strict=False)
    except ValueError as error:
        raise ValueError("It must be an address or a network, as 10.1.2.3 or 10.1.0.0/16") from error
    return value


def _own_path(value: str) -> str:
    parts = value.strip("/").split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise ValueError("It must be a path as /grafana, without empty parts")
    if parts[0] in OUR_PATHS:
        raise ValueError(f"Addresses below /{parts[0]} are the platform's own; choose another")
    return "/" + "/".join(parts)


def _server(value: str) -> str:
    try:
        found = urlsplit(value)
        complete = found.scheme in ("http", "https") and bool(found.hostname) and found.port != 0
    except ValueError:
        complete = False
    if not complete or "@" in found.netloc or found.path not in ("", "/") or found.query or found.fragment:
        raise ValueError("It must be http://HOST:PORT or https://HOST:PORT, without a path or a password")
    return value.rstrip("/")


class ExternalService(Section):
    """Another server's pages, mounted under a path of the platform."""

    path: Annotated[str, AfterValidator(_own_path)] = Field(
        pattern=r"^/[A-Za-z0-9._/-]+$", max_length=100, description="Path of the platform under which it appears."
    )
    url: Annotated[str, AfterValidator(_server)] = Field(description="Where it listens: http://HOST:PORT.")
    sign_in: bool = Field(True, description="Whether only people who are signed in reach it.")
    groups: tuple[str, ...] = Field((), description="Groups whose members reach it; empty: everybody signed in.")
    strip_prefix: bool = Field(False, description="Whether it is asked without its path in front.")

    @model_validator(mode="after")
    def _groups_sign_in(self) -> ExternalService:
        if self.groups and not self.sign_in:
            raise ValueError("'groups' needs 'sign_in: true': without it nobody's groups are known")
        return self


class Gateway(Section):
    """How browsers reach the platform."""

    tls: Annotated[Literal["off", "files", "acme", "local"], BeforeValidator(_word)] = Field(
        "off",
        description="Encryption. 'files': your own certificate. 'acme': one of Let's Encrypt or another authority "
        "that speaks ACME. 'local': one of an authority made on this machine, for a trial. 'off': plain HTTP.",
    )
    certificate: Path | None = Field(
        None, description="For 'files': PEM file with the certificate, then those of the authorities between."
    )
    certificate_key: Path | None = Field(None, description="For 'files': PEM file with its private key.")
    acme_email: str | None = Field(
        None, pattern=r"^[^@\s]+@[^@\s]+$", description="For 'acme': where the authority writes about expiry."
    )
    acme_server: str = Field(
        "https://acme-v02.api.letsencrypt.org/directory",
        pattern=r"^https://[^\s@]+$",
        description="For 'acme': address of the authority's directory.",
    )
    acme_challenge: Literal["http", "tls"] = Field(
        "http",
        description="For 'acme': how the authority checks the domain. 'http': it asks on port 80. 'tls': on port 443.",
    )
    http_port: Port | None = Field(
        None,
        description="Port that sends plain HTTP on to HTTPS. Empty: 80 where `port` is 443, otherwise none.",
    )
    hsts_days: int | None = Field(
        None,
        ge=0,
        le=730,
        description="Days for which browsers insist on HTTPS after a visit. Empty: 365; with 'local' 0.",
    )
    names: tuple[Annotated[str, Field(pattern=HOST)], ...] = Field(
        (), description="More host names and addresses for the certificate of 'local' or 'acme'."
    )
    subdomains: bool = Field(
        False,
        description="Whether each workspace has a host of its own, NAME.domain, so that its pages are no pages of the "
        "platform to a browser. Needs `domain`, a wildcard entry in DNS, and 'files' (for *.domain too) or 'local'.",
    )
    trusted_proxies: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        (), description="Addresses or networks of proxies in front, whose X-Forwarded-… headers are believed."
    )
    sign_ins_per_minute: int = Field(
        60,
        ge=0,
        description="Attempts to sign in, to sign up or to change a password that one address may make a minute, and "
        "at once; 0: no limit.",
    )
    requests_per_second: int = Field(
        100,
        ge=0,
        description="Requests to pages and API that one address may make a second, ten times as many at once; to files "
        "and to each workspace ten times as many again. 0: no limit.",
    )
    compression: bool = Field(True, description="Whether scripts, styles and JSON of the library are compressed.")
    access_log: bool = Field(
        True, description="Whether each request is noted as JSON, in gateway/log/access.log: 'twinhub logs access'."
    )
    access_log_mb: int = Field(50, ge=1, description="Size, in MB, at which that file is put aside; 5 are kept.")
    services: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")], ExternalService] = Field(
        default_factory=dict,
        description="Other servers under a path, as 'grafana: {path: /grafana, url: http://127.0.0.1:3000}'; further "
        "keys: sign_in (true), groups ([]: everybody), strip_prefix (false).",
    )

    @property
    def encrypted(self) -> bool:
        """Whether browsers speak HTTPS with the gateway."""
        return self.tls != "off"

    @model_validator(mode="after")
    def _complete(self) -> Gateway:
        if self.tls == "files" and not (self.certificate and self.certificate_key):
            raise ValueError("'tls: files' needs 'certificate' and 'certificate_key'")
        if self.subdomains and self.tls not in ("files", "local"):
            raise ValueError(
                "'subdomains: true' needs a certificate for every NAME.domain: set 'tls' to files or local"
            )
        taken: dict[str, str] = {}
        for name, service in self.services.items():
            other = taken.setdefault(service.path, name)
            if other != name:
                raise ValueError(f"'services.{name}' and 'services.{other}' have the same path {service.path}")
        return self
