"""The gateway's certificate."""

from __future__ import annotations

import json

import click
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.local_ca import authority_file
from gateway.pairs import names_of
from twinhub.operate.certificates import NoCertificate, read_served
from twinhub.operate.cli.options import json_option, places_of

TRUST = """\

To trust it, on each machine that shall open {origin}:
  Firefox          Settings › Privacy & Security › View Certificates › Authorities › Import
  Chrome, Edge     Settings › Privacy and security › Security › Manage certificates › Import
  Debian, Ubuntu   sudo cp FILE /usr/local/share/ca-certificates/twinhub.crt && sudo update-ca-certificates
  macOS            sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain FILE
  Windows          certutil -addstore -f Root FILE        (as administrator)
  curl, Python     curl --cacert FILE …;  SSL_CERT_FILE=FILE or REQUESTS_CA_BUNDLE=FILE
Compare the fingerprint after it was carried over: SHA-256 {fingerprint}
It can vouch for this machine's names and for addresses of private networks only."""


@click.group("tls")
def tls() -> None:
    """Look after the certificate with which browsers recognise the platform."""


@tls.command("ca")
@click.option("--pem", is_flag=True, help="Print the certificate alone, as for a file.")
@click.pass_context
def authority(ctx: click.Context, pem: bool) -> None:
    """Show the certificate of the local authority, and how to make a machine trust it.

    For 'gateway.tls: local'. Example:  twinhub tls ca --pem >twinhub-ca.crt
    """
    places = places_of(ctx)
    if places.settings.gateway.tls != "local":
        raise NoCertificate(
            f"The certificate is not of a local authority: gateway.tls is '{places.settings.gateway.tls}'.",
            "Set 'gateway: {tls: local}' in twinhub.yaml and run 'twinhub up' to have one.",
        )
    file = authority_file(places)
    if not file.exists():
        raise NoCertificate("The authority is not made yet.", "'twinhub up' makes it.")
    click.echo(file.read_text(), nl=False)
    if not pem:
        fingerprint = x509.load_pem_x509_certificate(file.read_bytes()).fingerprint(SHA256()).hex(":")
        click.echo(TRUST.format(origin=places.origin, fingerprint=fingerprint).replace("FILE", str(file)))


@tls.command("show")
@json_option
@click.pass_context
def show(ctx: click.Context, as_json: bool) -> None:
    """Show the certificate that the gateway serves just now: for whom, by whom, until when."""
    served = read_served(places_of(ctx))
    told = {
        "names": names_of(served),
        "issuer": served.issuer.rfc4514_string(),
        "not_before": served.not_valid_before_utc.isoformat(),
        "not_after": served.not_valid_after_utc.isoformat(),
        "sha256": served.fingerprint(SHA256()).hex(":"),
    }
    if as_json:
        click.echo(json.dumps(told))
    else:
        for name, value in told.items():
            click.echo(f"  {name:<11} {', '.join(value) if isinstance(value, list) else value}")
