"""The gateway's certificate: whether it can be used, before it is, and which one is served."""

from __future__ import annotations

import socket
import ssl
from typing import Final

from cryptography import x509

from gateway.pairs import CertificateRefused, check_pair, days_left, read_pair, required_hosts
from twinhub.errors import PublicError
from twinhub.operate.checks import Finding
from twinhub.places import Places

PATIENCE_S: Final = 5.0


class NoCertificate(PublicError):
    """There is no such certificate."""

    code = "no_certificate"
    status = 404


def check_server_certificate(places: Places) -> Finding:
    """Judge the operator's own certificate as browsers will; those of other kinds are made later."""
    gateway = places.settings.gateway
    if gateway.tls != "files" or not gateway.certificate or not gateway.certificate_key:
        return Finding("certificate", True, "no certificate of your own")
    try:
        leaf = check_pair(read_pair(gateway.certificate, gateway.certificate_key), required_hosts(places))
    except CertificateRefused as error:
        return Finding("certificate", False, error.what, error.fix)
    return Finding("certificate", True, f"{gateway.certificate} holds for {days_left(leaf)} more days")


def read_served(places: Places) -> x509.Certificate:
    """Give the certificate that browsers are shown just now; raises NoCertificate."""
    if not places.settings.gateway.encrypted:
        raise NoCertificate("The gateway speaks plain HTTP.", "Set 'gateway.tls' in twinhub.yaml.")
    # It is looked at and not relied on; whether browsers would is told from what it holds.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    host = "127.0.0.1" if places.settings.address in ("0.0.0.0", "::", "") else places.settings.address  # noqa: S104
    try:
        with (
            socket.create_connection((host, places.settings.port), timeout=PATIENCE_S) as connection,
            context.wrap_socket(connection, server_hostname=places.domain) as encrypted,
        ):
            shown = encrypted.getpeercert(binary_form=True) or b""
        return x509.load_der_x509_certificate(shown)
    except (OSError, ValueError) as error:
        raise NoCertificate(
            f"The gateway shows no certificate on port {places.settings.port}: {error}.",
            "'twinhub logs gateway' shows its own words.",
        ) from error
