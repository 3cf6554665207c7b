"""The certificate that the gateway shows to browsers."""

from __future__ import annotations

from cryptography.x509.oid import NameOID

from twinhub.operate.certificates import NoCertificate, read_served
from twinhub.operate.monitor.state import Certificate
from twinhub.places import Places


def read_certificate(places: Places) -> Certificate | None:
    """Ask the gateway for it as a browser does; None without TLS, and while nobody answers."""
    try:
        certificate = read_served(places)
    except NoCertificate:
        return None
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    name = str(names[0].value) if names else places.domain
    return Certificate(certificate.not_valid_after_utc.timestamp(), name[:200])
