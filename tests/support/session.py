"""Somebody's browser as HTTP: cookies, redirects and the XSRF token of the pages, without drawing anything."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import httpx2

from tests.support.installation import Installation

PAGE = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}


@dataclass
class Browser:
    """One browser; two of them of the same person share nothing."""

    installation: Installation
    http: httpx2.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx2.Client(
            base_url=self.installation.url,
            timeout=60,
            trust_env=False,
            follow_redirects=True,
            headers=PAGE,
            verify=False,  # plain http; reading the authorities costs more than a whole sign-in
        )

    def sign_in(self, name: str, password: str) -> httpx2.Response:
        """Sign in from the front door with the local form; give where it ends."""
        page = self.http.get("/app/library")
        return self.send_form(page, username=name, password=password)

    def send_form(self, page: httpx2.Response, **values: str) -> httpx2.Response:
        """Fill the page's (last) form that posts and send it."""
        forms = re.findall(r"<form[^>]*method=\"post\".*?</form>", page.text, re.DOTALL | re.IGNORECASE)
        assert forms, page.text[:2000]
        form = forms[-1]
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
        action = re.search(r'<form[^>]*action="([^"]*)"', form)
        address = urljoin(str(page.url), (action[1] if action else "").replace("&amp;", "&")) if action else page.url
        return self.http.post(str(address), data={**hidden, **values})

    @property
    def xsrf(self) -> str:
        """The token that the pages' scripts send along."""
        found = re.search(r'name="xsrf-token" content="([^"]+)"', self.http.get("/app/library").text)
        assert found, "not signed in"
        return found[1]

    def write(self, method: str, path: str, json: Any = None) -> httpx2.Response:
        """Send what a page's script would send."""
        headers = {"X-XSRFToken": self.xsrf, "Accept": "application/json", "Sec-Fetch-Mode": "cors"}
        return self.http.request(method, path, json=json, headers=headers)

    def captured(self) -> str:
        """Give all cookies as a thief would send them, whatever their path."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.http.cookies.jar)


OpenBrowser = Callable[[], Browser]


def status_with(installation: Installation, cookies: str, path: str, **headers: str) -> int:
    """Say how a request with captured cookies is answered; redirects are not followed."""
    sent = {"Cookie": cookies, "Accept": "application/json", "Sec-Fetch-Mode": "navigate", **headers}
    answer = httpx2.get(installation.url + path, headers=sent, trust_env=False, timeout=60, verify=False)
    return answer.status_code
