"""The certificate that Traefik serves, kept where only Traefik's own account reads it.

Traefik reads a certificate again only when its configuration changes. So each
pair stands in files named by its digest: a new pair is a new name, and browsers
get it with their next connection, without a restart.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any, Final

from gateway.entry_points import ACME
from gateway.files import replace, write_yaml
from gateway.local_ca import ensure_local_pair
from gateway.pairs import Pair, check_pair, read_pair, required_hosts
from twinhub.places import Places

CIPHERS: Final = (
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
)
"""For TLS 1.2; 1.3 has none that must be left out."""


def serving_pair(places: Places) -> Pair | None:
    """Give the pair that the settings ask for; None where there is none, or Traefik gets it by itself.

    Raises CertificateRefused.
    """
    gateway = places.settings.gateway
    if gateway.tls == "local":
        _ensure_folder(places.tls, 0o711)
        return ensure_local_pair(places)
    if gateway.tls == "files" and gateway.certificate and gateway.certificate_key:
        pair = read_pair(gateway.certificate, gateway.certificate_key)
        check_pair(pair, required_hosts(places))
        return pair
    return None


def write_serving(places: Places) -> bool:
    """Hand Traefik its certificate; tell whether it has another one now. Raises CertificateRefused."""
    file = places.gateway / "dynamic" / "tls.yaml"
    if not places.settings.gateway.encrypted:
        known = file.exists()
        file.unlink(missing_ok=True)
        return known
    pair = serving_pair(places)
    store = _generated(places) if pair is None else _from_files(places, pair)
    before = file.read_bytes() if file.exists() else b""
    options = {"minVersion": "VersionTLS12", "cipherSuites": list(CIPHERS)}
    write_yaml(file, {"tls": {"stores": {"default": store}, "options": {"default": options}}})
    changed = file.read_bytes() != before
    if pair is not None:
        _remove_others(places, pair)
    return changed


def _from_files(places: Places, pair: Pair) -> dict[str, Any]:
    folder = _ensure_folder(places.tls / "serving", 0o750, group_id=places.gateway_user_id)
    name = _name(pair)
    for ending, content in (("crt", pair.chain), ("key", pair.key)):
        replace(folder / f"{name}.{ending}", content, mode=0o640, group_id=places.gateway_user_id)
    return {"defaultCertificate": {"certFile": str(folder / f"{name}.crt"), "keyFile": str(folder / f"{name}.key")}}


def _generated(places: Places) -> dict[str, Any]:
    """Let Traefik ask the authority by ACME, and keep what it gets in a folder of its own."""
    folder = _ensure_folder(places.tls / "acme", 0o700)
    if os.getuid() == 0:
        os.chown(folder, places.gateway_user_id, places.gateway_user_id)
    names = {"main": places.domain, "sans": list(places.settings.gateway.names)}
    return {"defaultGeneratedCert": {"resolver": ACME, "domain": names}}


def _name(pair: Pair) -> str:
    return hashlib.sha256(pair.chain + pair.key).hexdigest()[:16]


def _remove_others(places: Places, pair: Pair) -> None:
    """Remove older pairs, save the one before, which Traefik may be reading just now."""
    files = sorted((places.tls / "serving").glob("*.crt"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in files[2:]:
        if file.stem != _name(pair):
            file.with_suffix(".key").unlink(missing_ok=True)
            file.unlink()


def _ensure_folder(folder: Path, mode: int, *, group_id: int | None = None) -> Path:
    folder.parent.mkdir(mode=0o711, exist_ok=True)
    folder.mkdir(mode=mode, exist_ok=True)
    folder.chmod(mode)
    if group_id is not None and os.getuid() == 0:
        os.chown(folder, 0, group_id)
    return folder
