"""Whether the gateway's certificate can be used, before it is and while it is."""

from __future__ import annotations

from gateway.pairs import CertificateRefused, check_pair, days_left, read_pair, required_hosts
from twinhub.operate.checks import Finding
from twinhub.places import Places


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
