"""Certificates: which are taken, which are made, and when they are made anew."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509

from gateway.local_ca import RENEW_BELOW_DAYS, SERVER_DAYS, authority_file, ensure_local_pair, wanted_names
from gateway.pairs import CertificateRefused, check_pair, names_of, read_pair
from gateway.serving import write_serving
from tests.support.certificates import make_pair
from twinhub.places import Places
from twinhub.settings import parse_settings

LOCAL = "{domain: hub.lab, gateway: {tls: local}}"
LAB = "{domain: hub.lab, gateway: {tls: local, subdomains: true}}"


def places_of(folder: Path, text: str = LOCAL) -> Places:
    places = Places(folder, parse_settings(text))
    places.tls.mkdir(exist_ok=True)
    (places.gateway / "dynamic").mkdir(parents=True, exist_ok=True)
    return places


@pytest.mark.parametrize(
    ("hosts", "asked", "fits"),
    [
        (["hub.lab"], ("hub.lab",), True),
        (["*.lab"], ("hub.lab",), True),
        (["*.lab"], ("a.hub.lab",), False),
        (["other.lab"], ("hub.lab",), False),
        (["hub.lab"], ("hub.lab", "*.hub.lab"), False),
        (["hub.lab", "*.hub.lab"], ("hub.lab", "*.hub.lab"), True),
    ],
)
def test_a_certificate_is_for_its_hosts(tmp_path: Path, hosts: list[str], asked: tuple[str, ...], fits: bool) -> None:
    """A browser that is shown another's name turns people away."""
    pair = read_pair(*make_pair(tmp_path, hosts))
    if fits:
        check_pair(pair, asked)
    else:
        with pytest.raises(CertificateRefused, match="not for"):
            check_pair(pair, asked)


@pytest.mark.parametrize(
    ("moment", "words"), [(timedelta(days=200), "expired on"), (timedelta(days=-200), "holds from")]
)
def test_a_certificate_holds_for_its_time(tmp_path: Path, moment: timedelta, words: str) -> None:
    """The date stands in the refusal."""
    pair = read_pair(*make_pair(tmp_path, ["hub.lab"]))
    with pytest.raises(CertificateRefused, match=words):
        check_pair(pair, (), now=datetime.now(UTC) + moment)


@pytest.mark.parametrize(
    ("broken", "words"), [("server.crt", "no certificate in PEM"), ("server.key", "no private key")]
)
def test_a_file_that_is_no_pem_is_named(tmp_path: Path, broken: str, words: str) -> None:
    """The usual slip is DER, or the two files swapped."""
    files = make_pair(tmp_path, ["hub.lab"])
    (tmp_path / broken).write_text("nonsense")
    with pytest.raises(CertificateRefused, match=words):
        check_pair(read_pair(*files), ())


def test_the_local_authority_vouches_for_this_machine_only(tmp_path: Path) -> None:
    """Whoever stole its key must not pose as a bank to those who trust it."""
    places = places_of(tmp_path, LAB)
    pair = ensure_local_pair(places)
    assert set(names_of(pair.leaf)) >= {"hub.lab", "*.hub.lab", "localhost", "127.0.0.1"}
    authority = x509.load_pem_x509_certificate(authority_file(places).read_bytes())
    rules = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert rules.critical
    hosts = {name.value for name in rules.value.permitted_subtrees or () if isinstance(name, x509.DNSName)}
    assert "hub.lab" in hosts
    assert all(
        "." not in host or host == "hub.lab" for host in hosts - {name for name in wanted_names(places) if "." in name}
    )
    pair.leaf.verify_directly_issued_by(authority)
    ssl.create_default_context(cadata=authority_file(places).read_text())


def test_a_local_certificate_is_renewed_in_time_by_the_same_authority(tmp_path: Path) -> None:
    """People have imported the authority once, and shall not again."""
    places = places_of(tmp_path)
    first = ensure_local_pair(places)
    authority = authority_file(places).read_bytes()
    assert ensure_local_pair(places) == first
    later = datetime.now(UTC) + timedelta(days=SERVER_DAYS - RENEW_BELOW_DAYS + 1)
    renewed = ensure_local_pair(places, now=later)
    assert renewed.leaf.not_valid_after_utc > first.leaf.not_valid_after_utc
    assert authority_file(places).read_bytes() == authority


def test_a_name_that_comes_later_gets_into_the_certificate(tmp_path: Path) -> None:
    """A domain of its own needs another authority too, as the first may not vouch for it; a private address does not."""
    first = ensure_local_pair(places_of(tmp_path))
    authority = authority_file(places_of(tmp_path)).read_bytes()
    nearer = ensure_local_pair(
        places_of(tmp_path, "{domain: hub.lab, gateway: {tls: local, names: [10.1.2.3, a.hub.lab]}}")
    )
    assert nearer != first
    assert {str(ip_address("10.1.2.3")), "a.hub.lab"} <= set(names_of(nearer.leaf))
    assert authority_file(places_of(tmp_path)).read_bytes() == authority
    ensure_local_pair(places_of(tmp_path, "{domain: hub.elsewhere, gateway: {tls: local}}"))
    assert authority_file(places_of(tmp_path)).read_bytes() != authority


def test_traefik_is_told_of_another_pair_by_another_name(tmp_path: Path) -> None:
    """It reads a certificate again only when its configuration changes; a bad one changes nothing."""
    chain, key = make_pair(tmp_path, ["hub.lab"])
    text = f"{{domain: hub.lab, gateway: {{tls: files, certificate: {chain}, certificate_key: {key}}}}}"
    places = places_of(tmp_path, text)
    file = places.gateway / "dynamic" / "tls.yaml"
    assert write_serving(places)
    assert not write_serving(places)
    before = file.read_text()
    make_pair(tmp_path, ["hub.lab"])
    assert write_serving(places)
    assert file.read_text() != before
    before = file.read_text()
    make_pair(tmp_path, ["hub.lab"], days=-1)
    with pytest.raises(CertificateRefused):
        write_serving(places)
    assert file.read_text() == before
