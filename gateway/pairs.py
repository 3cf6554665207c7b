"""A certificate and its key: read, judge, and say in words what a browser would hold against them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from twinhub.errors import PublicError
from twinhub.places import Places


class CertificateRefused(PublicError):
    """Browsers would not take the certificate, or the gateway cannot use it."""

    code = "certificate_refused"
    status = 500


@dataclass(frozen=True)
class Pair:
    """A chain of certificates, the server's first, and the private key of that one, as PEM."""

    chain: bytes
    key: bytes

    @property
    def leaf(self) -> x509.Certificate:
        """The server's own certificate."""
        return x509.load_pem_x509_certificates(self.chain)[0]


def read_pair(certificate: Path, key: Path) -> Pair:
    """Read both files; raises CertificateRefused."""
    contents = []
    for setting, file in (("certificate", certificate), ("certificate_key", key)):
        try:
            contents.append(file.read_bytes())
        except OSError as error:
            raise CertificateRefused(
                f"gateway.{setting} {file} cannot be read: {error.strerror}.", "Correct the path in twinhub.yaml."
            ) from error
    return Pair(*contents)


def required_hosts(places: Places) -> tuple[str, ...]:
    """Name the hosts for which browsers will want the certificate."""
    domain = places.settings.domain
    if not domain:
        return ()
    return (domain.lower(), f"*.{domain.lower()}") if places.settings.gateway.subdomains else (domain.lower(),)


def check_pair(pair: Pair, hosts: tuple[str, ...], *, now: datetime | None = None) -> x509.Certificate:
    """Give the server's certificate; raises CertificateRefused for one that browsers would not take."""
    moment = now or datetime.now(UTC)
    try:
        leaf = pair.leaf
    except (ValueError, IndexError) as error:
        raise CertificateRefused(
            "gateway.certificate holds no certificate in PEM form.", "It begins with -----BEGIN CERTIFICATE-----."
        ) from error
    if _public(_private_key(pair)) != leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo):
        raise CertificateRefused(
            "gateway.certificate_key does not belong to gateway.certificate.",
            "Name the key with which this certificate was asked for; the server's own certificate stands first.",
        )
    if moment > leaf.not_valid_after_utc:
        raise CertificateRefused(
            f"gateway.certificate expired on {leaf.not_valid_after_utc:%Y-%m-%d}.", "Put a renewed one in its place."
        )
    if moment < leaf.not_valid_before_utc:
        raise CertificateRefused(
            f"gateway.certificate holds from {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} UTC only.",
            "Check this machine's clock.",
        )
    for host in hosts:
        if not covers(leaf, host):
            raise CertificateRefused(
                f"gateway.certificate is for {', '.join(names_of(leaf)) or 'nobody'}, and not for {host}.",
                "Ask for one with that name, or correct 'domain'.",
            )
    return leaf


def names_of(certificate: x509.Certificate) -> list[str]:
    """Give the hosts that a certificate is for."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [
        *names.get_values_for_type(x509.DNSName),
        *(str(address) for address in names.get_values_for_type(x509.IPAddress)),
    ]


def covers(certificate: x509.Certificate, host: str) -> bool:
    """Tell whether browsers take a certificate for a host; `*.domain` asks for the wildcard itself."""
    names = {name.lower() for name in names_of(certificate)}
    if host in names:
        return True
    try:
        return str(ip_address(host)) in names
    except ValueError:
        return not host.startswith("*.") and f"*.{host.partition('.')[2]}" in names


def days_left(certificate: x509.Certificate, *, now: datetime | None = None) -> int:
    """Give the whole days until a certificate ends."""
    return (certificate.not_valid_after_utc - (now or datetime.now(UTC))).days


def _private_key(pair: Pair) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(pair.key, None)
    except TypeError as error:
        raise CertificateRefused(
            "gateway.certificate_key is protected by a password, which nobody can type when the server starts.",
            "Take it off: openssl pkey -in KEY -out NEW.",
        ) from error
    except ValueError as error:
        raise CertificateRefused(
            "gateway.certificate_key holds no private key in PEM form.", "It begins with -----BEGIN PRIVATE KEY-----."
        ) from error


def _public(key: PrivateKeyTypes) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
