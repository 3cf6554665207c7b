"""The certificate that the gateway shows to browsers."""

from __future__ import annotations

import socket
import ssl
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import NameOID

from twinhub.operate.monitor.state import Certificate
from twinhub.places import Places


def read_certificate(places: Places) -> Certificate | None:
    """Ask the gateway for it as a browser does; None without TLS, and while nobody answers."""
    origin = urlsplit(places.origin)
    if origin.scheme != "https":
        return None
    host = "127.0.0.1" if places.settings.address in ("0.0.0.0", "") else places.settings.address  # noqa: S104
    # It is looked at, not trusted: also one that has ended has to be shown.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, places.settings.port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname=origin.hostname) as encrypted,
        ):
            shown = encrypted.getpeercert(binary_form=True)
    except (OSError, ValueError):
        return None
    if not shown:
        return None
    certificate = x509.load_der_x509_certificate(shown)
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    name = str(names[0].value) if names else (origin.hostname or "")
    return Certificate(certificate.not_valid_after_utc.timestamp(), name[:200])
