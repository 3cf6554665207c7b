"""Run the gateway's Traefik beside a real ACME authority; to be called inside a network and mount namespace of its own.

Prints what certificate it got, as JSON.
"""

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic, sleep

sys.path.insert(0, str(Path(__file__).parents[2]))

from gateway import write_configuration
from twinhub.operate.layout import ensure_layout
from twinhub.operate.programs import platform_programs
from twinhub.places import Places
from twinhub.settings import parse_settings

HOSTS = "127.0.0.1 localhost hub.lab.test acme.lab.test\n"
AUTHORITY = """
{
	admin off
	storage file_system STORAGE
	auto_https disable_redirects
	skip_install_trust
}
https://acme.lab.test:9443 {
	tls internal
	acme_server {
		challenges http-01 tls-alpn-01
	}
}
"""
SETTINGS = """
port: 443
domain: hub.lab.test
ca_bundle: BUNDLE
gateway:
  tls: acme
  acme_email: ada@lab.test
  acme_server: https://acme.lab.test:9443/acme/local/directory
  acme_challenge: CHALLENGE
"""


def wait_for(file: Path, timeout_s: float = 30.0) -> Path:
    deadline = monotonic() + timeout_s
    while not file.exists():
        assert monotonic() < deadline, f"{file} never came"
        sleep(0.05)
    return file


def isolate(folder: Path) -> None:
    """Give this namespace its loopback and its own host names; nobody outside sees either."""
    hosts = folder / "hosts"
    hosts.write_text(HOSTS)
    subprocess.run(["mount", "--bind", str(hosts), "/etc/hosts"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def start_authority(folder: Path) -> tuple["subprocess.Popen[bytes]", Path]:
    """Start Caddy; give it and the certificate of its root."""
    config = folder / "Caddyfile"
    config.write_text(AUTHORITY.replace("STORAGE", str(folder / "caddy")))
    caddy = Path(sys.executable).parent / "caddy"
    running = subprocess.Popen(
        [str(caddy), "run", "--config", str(config), "--adapter", "caddyfile"],
        stdout=subprocess.DEVNULL,
        stderr=(folder / "caddy.log").open("wb"),
        env={**os.environ, "HOME": str(folder)},
    )
    root = wait_for(folder / "caddy/pki/authorities/local/root.crt")
    bundle = folder / "root.pem"
    shutil.copy(root, bundle)
    bundle.chmod(0o644)
    return running, bundle


def fetch_certificate(bundle: Path, timeout_s: float = 60.0) -> dict[str, object]:
    """Ask for the page as a browser that trusts the authority, until there is a certificate."""
    context = ssl.create_default_context(cafile=str(bundle))
    deadline = monotonic() + timeout_s
    while True:
        try:
            with (
                socket.create_connection(("hub.lab.test", 443), timeout=5) as plain,
                context.wrap_socket(plain, server_hostname="hub.lab.test") as encrypted,
            ):
                return dict(encrypted.getpeercert() or {})
        except OSError:
            if monotonic() > deadline:
                raise
            sleep(0.1)


def main(challenge: str) -> None:
    folder = Path(tempfile.mkdtemp(prefix="twinhub-acme-", dir="/var/tmp"))
    folder.chmod(0o711)
    running = []
    try:
        isolate(folder)
        authority, bundle = start_authority(folder)
        running.append(authority)
        settings = SETTINGS.replace("BUNDLE", str(bundle)).replace("CHALLENGE", challenge)
        places = Places(folder / "data", parse_settings(settings))
        ensure_layout(places)
        write_configuration(places, "127.0.0.1")
        program = next(one for one in platform_programs(places, "127.0.0.1") if one.name == "gateway")
        gateway = subprocess.Popen(
            program.command, stdout=(folder / "gateway.log").open("wb"), stderr=subprocess.STDOUT
        )
        running.append(gateway)
        shown = fetch_certificate(bundle)
        stored = places.tls / "acme" / "acme.json"
        told = {
            "names": [name for _, name in shown["subjectAltName"]],  # type: ignore[attr-defined]
            "issuer": str(shown["issuer"]),
            "key_mode": f"{stored.stat().st_mode & 0o777:o}",
            "as_root": Path(f"/proc/{gateway.pid}").stat().st_uid == 0,
        }
        print(json.dumps(told))
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
