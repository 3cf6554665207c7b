"""How much one address may ask, how large it may be, and what is written down of it."""

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from tests.support.installation import Installation, wait_until
from tests.support.people import Person
from tests.support.settings import configured

PAGE = {"Accept": "text/html"}
FILES = 100


@pytest.fixture(scope="module")
def narrow(installation: Installation) -> Iterator[None]:
    """Low limits; the tests are a proxy in front, and so may come from any address."""
    changes = {
        "gateway.sign_ins_per_minute": 3,
        "gateway.requests_per_second": 1,
        "gateway.trusted_proxies": ["127.0.0.1"],
        "gateway.access_log_mb": 1,
    }
    with configured(installation, changes):
        yield


def ask(installation: Installation, path: str, address: str, method: str = "GET", **options: Any) -> httpx2.Response:
    headers = {"X-Forwarded-For": address, **options.pop("headers", {})}
    return httpx2.request(method, installation.url + path, headers=headers, trust_env=False, timeout=60, **options)


def ask_until_refused(
    installation: Installation, path: str, address: str, most: int, **options: Any
) -> httpx2.Response:
    for _ in range(most):
        answer = ask(installation, path, address, **options)
        if answer.status_code == 429:
            return answer
    raise AssertionError(f"{most} requests were let through")


def test_an_engineer_uploads_a_hundred_files_at_once(installation: Installation, pierre: Person) -> None:
    """The limits are for machines; at work nobody ever meets them."""

    http = httpx2.Client(base_url=installation.url, headers={"Authorization": f"token {pierre.token}"}, timeout=60)

    def upload(number: int) -> int:
        return http.put(f"/lib/files/pierre/data/many/{number}.csv", content=b"a,b\n1,2\n").status_code

    with http, ThreadPoolExecutor(20) as pool:
        assert set(pool.map(upload, range(FILES))) <= {200, 201, 204}
    assert pierre.ask("DELETE", "/lib/files/pierre/data/many").status_code < 300


def test_scripts_are_compressed_and_pages_with_secrets_and_files_are_not(
    installation: Installation, pierre: Person
) -> None:
    """The length of a compressed page would tell the token in it, byte by byte; a part of a file is not its zip."""
    script = pierre.ask("GET", "/app/static/library.js", headers={"Accept-Encoding": "gzip"})
    assert script.headers["content-encoding"] == "gzip"
    page = httpx2.get(installation.url + "/hub/login", headers={"Accept-Encoding": "gzip, br"}, trust_env=False)
    assert "content-encoding" not in page.headers
    pierre.ask("PUT", "/lib/files/pierre/data/long.csv", content=b"1,2,3\n" * 2000)
    whole = pierre.ask("GET", "/lib/files/pierre/data/long.csv", headers={"Accept-Encoding": "gzip, br"})
    part = pierre.ask("GET", "/lib/files/pierre/data/long.csv", headers={"Range": "bytes=0-5999"})
    assert "content-encoding" not in whole.headers
    assert (part.status_code, len(part.content)) == (206, 6000)
    assert "content-encoding" not in part.headers


def test_a_large_form_is_refused_in_words(installation: Installation) -> None:
    """Whoever is not even signed in must not fill the hub's memory."""
    large = b"username=" + b"x" * 3_000_000
    kind = {"Content-Type": "application/x-www-form-urlencoded", **PAGE}
    for content in (large, iter([large])):
        answer = httpx2.post(
            installation.url + "/hub/login", content=content, headers=kind, trust_env=False, timeout=60
        )
        assert answer.status_code == 413
        assert "larger than" in answer.text
    assert httpx2.post(installation.url + "/lib", content=large, trust_env=False).status_code in (401, 413)


def test_an_upload_reaches_the_library_while_it_is_sent(installation: Installation, pierre: Person) -> None:
    """A gateway that kept ten gigabytes first would fill the disk twice, and look dead meanwhile."""
    places, size = installation.places, 40_000_000
    head = f"PUT /lib/files/pierre/data/slow.bin HTTP/1.1\r\nHost: x\r\nAuthorization: token {pierre.token}\r\n"
    with socket.create_connection(("127.0.0.1", places.settings.port), timeout=60) as connection:
        connection.sendall(f"{head}Content-Length: {size}\r\n\r\n".encode() + bytes(size // 2))

        def arrived() -> bool:
            return any(file.stat().st_size > size // 4 for file in places.uploads.rglob("*") if file.is_file())

        wait_until(arrived, what="half of the upload at the library")
    wait_until(lambda: not arrived(), what="the end of the upload that was broken off")


def test_headers_without_end_are_refused(installation: Installation) -> None:
    """They would be kept in memory for each connection."""
    answer = httpx2.get(installation.url + "/hub/login", headers={"X-Long": "x" * 100_000}, trust_env=False)
    assert answer.status_code == 431


def test_an_address_that_tries_passwords_has_to_wait(installation: Installation, narrow: None) -> None:
    """Accounts have a limit each; this one stops whoever tries one password on all of them."""
    form = {"username": "nobody-there", "password": "wrong", "_xsrf": "x"}
    answer = ask_until_refused(installation, "/hub/login", "203.0.113.1", 5, method="POST", data=form, headers=PAGE)
    assert int(answer.headers["retry-after"]) > 0
    assert "Too many attempts to sign in" in answer.text
    assert "<html" in answer.text
    # Somebody in the next room goes on working.
    assert ask(installation, "/hub/login", "203.0.113.2", method="POST", data=form).status_code != 429


def test_an_address_that_floods_the_api_is_told_in_json(installation: Installation, narrow: None) -> None:
    """A program can wait as long as it is told to."""
    answer = ask_until_refused(installation, "/hub/api/", "203.0.113.3", 30)
    assert answer.json()["error"]["code"] == "too_many_requests"
    assert int(answer.headers["retry-after"]) > 0
    assert ask(installation, "/app/static/theme.js", "203.0.113.3").status_code == 200


def test_a_claimed_address_gives_no_new_allowance(installation: Installation, narrow: None) -> None:
    """What stands in front of the proxy's own word was written by whoever asks."""
    for number in range(30):
        if ask(installation, "/hub/api/", f"198.51.100.{number}, 203.0.113.4").status_code == 429:
            return
    raise AssertionError("each claimed address was let through")


def test_the_access_log_is_json_without_secrets_and_is_put_aside_when_full(
    installation: Installation, narrow: None
) -> None:
    """An operator finds who asked; whoever finds the log finds no token."""
    file = installation.places.access_log
    headers = {"Authorization": "token s3cret-header", "Cookie": "a=s3cret-cookie"}
    ask(installation, "/hub/api/info?token=s3cret-query&mark=1", "203.0.113.5", headers=headers)

    def line() -> dict[str, Any] | None:
        lines = [json.loads(text) for text in file.read_text().splitlines() if "203.0.113.5" in text]
        return lines[-1] if lines else None

    noted = wait_until(line, 10, "the line in the access log")
    assert noted is not None
    assert (noted["RequestPath"], noted["ClientHost"]) == ("/hub/api/info", "203.0.113.5")
    assert "s3cret" not in file.read_text()
    assert "203.0.113.5" in installation.twinhub("logs", "access").stdout
    before = file.stat().st_ino
    with file.open("ab") as stream:
        stream.write(b" " * 1_000_000 + b"\n")
    wait_until(lambda: file.exists() and file.stat().st_ino != before, 20, "a new access log")
    assert (file.parent / "access.log.1").stat().st_ino == before
    marked = f"203.0.113.{10 + time.time_ns() % 200}"
    ask(installation, "/hub/api/info", marked)
    wait_until(lambda: marked in file.read_text(), 10, "the line in the new access log")
