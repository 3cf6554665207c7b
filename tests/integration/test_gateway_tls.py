"""Encryption: with an authority of this machine's own, and with certificates that the operator brings."""

import shutil
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from cryptography import x509

from tests.integration.test_refusals import refused
from tests.support.certificates import make_pair
from tests.support.installation import Installation, wait_until
from tests.support.people import Person
from tests.support.settings import configured
from twinhub.operate.certificates import read_served
from twinhub.operate.supervisor import Supervisor


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def plain_port(installation: Installation, marie: Person) -> Iterator[int]:
    """HTTPS with the local authority, marie being there; gives the port that sends plain HTTP on."""
    port = free_port()
    with configured(installation, {"gateway.tls": "local", "gateway.http_port": port, "gateway.hsts_days": 30}):
        yield port


@pytest.fixture
def browser(installation: Installation, plain_port: int) -> Iterator[httpx2.Client]:
    """A browser that trusts what `twinhub tls ca` printed, and nothing else."""
    printed = installation.twinhub("tls", "ca", "--pem").stdout
    context = ssl.create_default_context(cadata=printed)
    address = f"https://localhost:{installation.places.settings.port}"
    with httpx2.Client(base_url=address, verify=context, trust_env=False, timeout=60) as client:
        yield client


def served(installation: Installation) -> x509.Certificate:
    """Give the certificate that browsers are shown."""
    return read_served(installation.places)


def test_a_browser_that_trusts_the_local_authority_sees_no_warning(
    installation: Installation, browser: httpx2.Client
) -> None:
    """And is told to come back encrypted; the library that checks is OpenSSL's, name constraints included."""
    answer = browser.get("/hub/login")
    assert answer.status_code == 200
    assert answer.headers["strict-transport-security"] == "max-age=2592000"
    by_address = str(browser.base_url).replace("localhost", "127.0.0.1")
    assert httpx2.get(by_address, verify=browser_context(installation), trust_env=False).status_code == 302
    assert installation.places.origin.startswith("https://")


def browser_context(installation: Installation) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(installation.places.tls / "authority.crt"))


def test_plain_http_is_sent_on_and_old_encryption_refused(
    installation: Installation, plain_port: int, browser: httpx2.Client
) -> None:
    """An address typed without https:// still arrives, and nobody can be talked into a weak cipher."""
    sent_on = httpx2.get(f"http://127.0.0.1:{plain_port}/app/library", trust_env=False)
    assert sent_on.status_code == 301
    assert sent_on.headers["location"] == f"https://127.0.0.1:{installation.places.settings.port}/app/library"
    context = browser_context(installation)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-SHA:@SECLEVEL=0")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(str(browser.base_url), verify=context, trust_env=False)


def test_every_cookie_is_for_encrypted_connections_only(
    installation: Installation, marie: Person, browser: httpx2.Client
) -> None:
    """One that is sent in the clear once is everybody's: the hub's, the pages' and the workspace's."""
    browser.get("/hub/login")
    form = {"username": marie.name, "password": marie.password, "_xsrf": browser.cookies["_xsrf"]}
    assert browser.post("/hub/login", data=form).status_code == 302
    for path in ("/app/library", f"/user/{marie.name}/lab"):
        assert browser.get(path, follow_redirects=True, headers={"Accept": "text/html"}).status_code == 200
    cookies = list(browser.cookies.jar)
    assert {cookie.name for cookie in cookies} >= {
        "twinhub-session",
        "twinhub-workspace",
        "jupyterhub-hub-login",
        f"jupyterhub-user-{marie.name}",
    }
    # Jupyter's own against forged requests lets nobody in.
    own = [cookie for cookie in cookies if cookie.name != "_xsrf" or cookie.path == "/hub/"]
    assert [cookie.name for cookie in own if not cookie.secure] == []


def test_the_keys_are_for_root_and_for_the_gateway_only(installation: Installation, plain_port: int) -> None:
    """Whoever reads the authority's key can pose as this machine."""
    folder = installation.places.tls
    assert (folder / "authority.key").stat().st_mode & 0o777 == 0o600
    assert (folder / "server.key").stat().st_mode & 0o777 == 0o600
    assert {file.stat().st_mode & 0o777 for file in (folder / "serving").glob("*.key")} == {0o640}
    assert (folder / "serving").stat().st_mode & 0o777 == 0o750


@pytest.fixture
def own_pair(installation: Installation, plain_port: int, tmp_path: Path) -> Iterator[Path]:
    """A folder with the operator's certificate, which is served."""
    make_pair(tmp_path, ["localhost"])
    changes = {
        "gateway.tls": "files",
        "gateway.certificate": str(tmp_path / "server.crt"),
        "gateway.certificate_key": str(tmp_path / "server.key"),
    }
    with configured(installation, changes):
        yield tmp_path


def test_a_renewed_certificate_is_served_without_a_restart(installation: Installation, own_pair: Path) -> None:
    """Certificates end every ninety days; nobody's notebook shall notice."""
    before = served(installation)
    gateway = pid_of(installation, "gateway")
    fresh = own_pair / "fresh"
    fresh.mkdir()
    make_pair(fresh, ["localhost"])
    shutil.move(fresh / "server.key", own_pair / "server.key")
    shutil.move(fresh / "server.crt", own_pair / "server.crt")
    wait_until(lambda: served(installation) != before, 30, "the new certificate")
    assert pid_of(installation, "gateway") == gateway


def test_a_pair_that_browsers_would_refuse_is_refused_first(installation: Installation, own_pair: Path) -> None:
    """The one that works goes on being served, and the reason is said where it was asked for."""
    before = served(installation)
    other = own_pair / "other"
    other.mkdir()
    make_pair(other, ["localhost"])
    shutil.copy(other / "server.key", own_pair / "server.key")
    refused(installation.twinhub("up", check=False), "certificate_key does not belong")
    make_pair(own_pair, ["localhost"], days=-1)
    refused(installation.twinhub("up", check=False), "expired on")
    assert "expired on" in installation.twinhub("doctor", check=False).stdout
    assert served(installation) == before
    make_pair(own_pair, ["localhost"])


def pid_of(installation: Installation, name: str) -> int:
    return next(state.pid for state in Supervisor(installation.places).states() if state.name == name)
