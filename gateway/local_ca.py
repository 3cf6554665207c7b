"""An authority of this machine's own, for trying HTTPS where no other one knows the machine."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.files import replace
from gateway.pairs import Pair, names_of
from twinhub.places import Places

AUTHORITY_DAYS: Final = 3650
SERVER_DAYS: Final = 90
RENEW_BELOW_DAYS: Final = 30

PRIVATE_NETWORKS: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "::1/128", "fc00::/7")
"""Always within what the authority may vouch for, as a machine's address at home or in the lab changes."""


def authority_file(places: Places) -> Path:
    """Name the file with the authority's certificate, which browsers import."""
    return places.tls / "authority.crt"


def ensure_local_pair(places: Places, *, now: datetime | None = None) -> Pair:
    """Give a certificate for this machine that lasts another month at least; make it, and the authority, if need be."""
    moment = now or datetime.now(UTC)
    names = wanted_names(places)
    authority, key = _ensure_authority(places, names, moment)
    chain_file, key_file = places.tls / "server.crt", places.tls / "server.key"
    if chain_file.exists() and key_file.exists():
        pair = Pair(chain_file.read_bytes(), key_file.read_bytes())
        leaf = pair.leaf
        lasts = leaf.not_valid_after_utc > moment + timedelta(days=RENEW_BELOW_DAYS)
        if lasts and leaf.not_valid_before_utc <= moment and _signed_by(leaf, authority) and _same(names, leaf):
            return pair
    pair = _issue(authority, key, names, moment)
    replace(key_file, pair.key, mode=0o600)
    replace(chain_file, pair.chain, mode=0o644)
    return pair


def wanted_names(places: Places) -> tuple[str, ...]:
    """Give the hosts and addresses under which this machine may be asked for."""
    settings = places.settings
    names = ["localhost", "127.0.0.1", "::1", socket.gethostname().lower(), *settings.gateway.names]
    if settings.domain:
        names.insert(0, settings.domain.lower())
    if settings.gateway.subdomains:
        names.append(f"*.{places.domain}")
    if settings.address in ("0.0.0.0", "::", ""):  # noqa: S104 - compared with
        names += _own_addresses()
    else:
        names.append(settings.address)
    return tuple(dict.fromkeys(names))


def _own_addresses() -> list[str]:
    """Give the addresses from which this machine speaks with others; nothing is sent for that."""
    found = []
    for family, elsewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((elsewhere, 9))
            except OSError:
                continue  # no way out with this kind of address
            found.append(probe.getsockname()[0])
    return found


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None


def _general(name: str) -> x509.GeneralName:
    address = _address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def _same(names: tuple[str, ...], leaf: x509.Certificate) -> bool:
    return {str(_address(name) or name) for name in names} == set(names_of(leaf))


def _ensure_authority(
    places: Places, names: tuple[str, ...], moment: datetime
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Read the authority, or make another one where it may not vouch for a name or ends soon."""
    file, key_file = authority_file(places), places.tls / "authority.key"
    if file.exists() and key_file.exists():
        authority = x509.load_pem_x509_certificate(file.read_bytes())
        key = load_pem_private_key(key_file.read_bytes(), None)
        lasts = authority.not_valid_after_utc > moment + timedelta(days=SERVER_DAYS)
        if lasts and isinstance(key, ec.EllipticCurvePrivateKey) and all(_within(authority, name) for name in names):
            return authority, key
    made = ec.generate_private_key(ec.SECP256R1())
    authority = _make_authority(made, names, places.settings.name, moment)
    replace(key_file, _pem(made), mode=0o600)
    replace(file, authority.public_bytes(Encoding.PEM), mode=0o644)
    return authority, made


def _within(authority: x509.Certificate, name: str) -> bool:
    permitted = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    address = _address(name)
    plain = name.removeprefix("*.")
    for subtree in permitted:
        if isinstance(subtree, x509.IPAddress) and address is not None:
            network = ip_network(str(subtree.value))
            if address.version == network.version and address in network:
                return True
        if isinstance(subtree, x509.DNSName) and address is None:
            inner = subtree.value
            if plain == inner or plain.endswith(f".{inner}"):
                return True
    return False


def _make_authority(
    key: ec.EllipticCurvePrivateKey, names: tuple[str, ...], installation: str, moment: datetime
) -> x509.Certificate:
    """Make an authority that can vouch for this machine only: whoever stole its key could pose as no other site."""
    hosts = dict.fromkeys(name.removeprefix("*.") for name in names if _address(name) is None)
    addresses = dict.fromkeys(str(address) for name in names if (address := _address(name)) is not None)
    networks = dict.fromkeys([*PRIVATE_NETWORKS, *(str(ip_network(address)) for address in addresses)])
    permitted: list[x509.GeneralName] = [x509.DNSName(host) for host in hosts]
    permitted += [x509.IPAddress(ip_network(network)) for network in networks]
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Twinhub"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{installation} on {socket.gethostname()}"[:64]),
        ]
    )
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - timedelta(minutes=5))
        .not_valid_after(moment + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )


def _issue(
    authority: x509.Certificate, key: ec.EllipticCurvePrivateKey, names: tuple[str, ...], moment: datetime
) -> Pair:
    own = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])]))
        .issuer_name(authority.subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - timedelta(minutes=5))
        .not_valid_after(moment + timedelta(days=SERVER_DAYS))
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Pair(certificate.public_bytes(Encoding.PEM) + authority.public_bytes(Encoding.PEM), _pem(own))


def _signed_by(leaf: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        leaf.verify_directly_issued_by(authority)
    except (InvalidSignature, TypeError, ValueError):
        return False
    return True


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
