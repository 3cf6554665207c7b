"""A host for each workspace: its pages are another site to a browser, and reach nothing of the platform's."""

from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest
from playwright.sync_api import BrowserContext, Error, Page, expect, sync_playwright

from tests.e2e.conftest import ARGUMENTS, CHROMIUM
from tests.support.installation import Installation
from tests.support.people import Person, make_person
from tests.support.settings import configured
from tests.support.visitor import Visitor

DOMAIN = "twinhub.test"
FIND = f"--host-resolver-rules=MAP {DOMAIN} 127.0.0.1,MAP *.{DOMAIN} 127.0.0.1"

READ = "url => fetch(url, {credentials: 'include'}).then(answer => answer.text(), () => 'kept from it')"
POST = "url => fetch(url, {method: 'POST', credentials: 'include', mode: 'no-cors', body: '{}'}).catch(() => null)"
LISTEN = """url => new Promise(end => {
  const socket = new WebSocket(url);
  socket.onopen = () => { socket.close(); end("open"); };
  socket.onerror = () => end("refused");
})"""


Result = TypeVar("Result")


class Inside(Installation):
    """The platform as its own processes reach it, whatever browsers have to do."""

    @property
    def url(self) -> str:
        return self.places.inner_gateway_url


@pytest.fixture(scope="module")
def irene(installation: Installation) -> Iterator[Person]:
    """Somebody whose workspace is started under a host of its own; one key does it."""
    person = make_person(installation, "irene")
    person.installation = Inside(installation.data_dir)
    changes = {"domain": DOMAIN, "gateway.tls": "local", "gateway.subdomains": True}
    try:
        with configured(installation, changes):
            person.start_workspace()
            yield person
            person.stop_workspace()
    finally:
        installation.twinhub("user", "remove", "irene", "--yes")
        person.http.close()


def patiently(action: Callable[[], Result], tries: int = 5) -> Result:
    """Do it again when a container starts or stops elsewhere: Chromium ends connections when a network interface comes."""
    for left in reversed(range(tries)):
        try:
            return action()
        except (Error, AssertionError):
            if not left:
                raise
    raise AssertionError("unreachable")


def sign_in(context: BrowserContext, person: Person) -> None:
    """Sign in from the front door; end on the Library."""
    page = context.new_page()

    def once() -> None:
        page.goto("/")
        if page.get_by_label("User name").is_visible():
            Visitor(person.name, person.password, context).type_credentials(page)
        expect(page.get_by_role("heading", name="Library", exact=True)).to_be_visible(timeout=20_000)

    patiently(once)
    page.close()


@pytest.fixture(scope="module")
def browser(installation: Installation, irene: Person) -> Iterator[BrowserContext]:
    """Irene's browser, signed in on the platform's own host."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, FIND])
        context = opened.new_context(base_url=installation.places.origin, ignore_https_errors=True)
        context.set_default_timeout(60_000)
        sign_in(context, irene)
        yield context
        opened.close()


@pytest.fixture(scope="module")
def lab(browser: BrowserContext, installation: Installation) -> Page:
    """JupyterLab, opened by the address that the platform's pages link to."""
    page = browser.new_page()

    def once() -> Page:
        page.goto("/user/irene/lab")
        page.wait_for_url(f"{installation.places.workspace_origin('irene')}/user/irene/lab*")
        expect(page.get_by_role("menubar").first).to_be_visible(timeout=60_000)
        return page

    return patiently(once)


def test_a_workspace_opens_on_its_own_host_only(installation: Installation, irene: Person, lab: Page) -> None:
    """The links of the pages lead there; the platform's host never serves what people write."""
    assert lab.url.startswith(f"https://irene.{DOMAIN}:")
    assert irene.ask("GET", "/user/irene/api/status", headers={"Host": f"irene.{DOMAIN}"}).status_code == 200
    assert irene.ask("GET", "/user/irene/api/status", headers={"Host": DOMAIN}).status_code == 302


def test_the_pages_speak_with_the_workspace_through_their_own_host(browser: BrowserContext, lab: Page) -> None:
    """Digital Twins lists and follows runs from there."""
    page = browser.new_page()

    def once() -> None:
        page.goto("/app/digitaltwins")
        assert '"twins"' in page.evaluate(READ, "/app/api/twins/")
        socket = page.url.replace("https", "wss").removesuffix("/app/digitaltwins") + "/app/api/twins/events"
        assert page.evaluate(LISTEN, socket) == "open"

    patiently(once)
    page.close()


def expect_text(page: Page, address: str, text: str) -> None:
    assert text in page.evaluate(READ, address)


def test_a_page_in_a_workspace_reads_nothing_of_the_platform(installation: Installation, lab: Page) -> None:
    """What somebody runs there, a colleague's notebook say, must not act as them in the library."""
    origin = installation.places.origin
    for address in ("/app/library", "/lib/files/irene/", "/hub/api/user"):
        assert lab.evaluate(READ, origin + address) == "kept from it"
        assert lab.evaluate(READ, address) == "kept from it", "its own host only sends it on"
    # It is not that nothing could be read at all.
    patiently(lambda: expect_text(lab, "/user/irene/api", "version"))


def test_a_page_in_a_workspace_changes_nothing_of_the_platform(installation: Installation, lab: Page) -> None:
    """A browser sends the session along, as both hosts are one site to it; so it must not count."""
    origin = installation.places.origin

    def once() -> int:
        with lab.expect_response(lambda answer: answer.url.endswith("/app/api/workspace"), timeout=20_000) as refused:
            lab.evaluate(POST, origin + "/app/api/workspace")
        return refused.value.status

    assert patiently(once) == 403
    assert lab.evaluate(LISTEN, origin.replace("https", "wss") + "/app/api/twins/events") == "refused"


def test_no_cookie_of_a_session_is_for_all_hosts(browser: BrowserContext, lab: Page) -> None:
    """With the prefix __Host- browsers keep other hosts from reading and from planting it."""
    cookies = {(cookie["name"], cookie["domain"]) for cookie in browser.cookies()}
    assert ("__Host-twinhub-session", DOMAIN) in cookies
    assert ("__Host-jupyterhub-hub-login", DOMAIN) in cookies
    assert ("__Host-jupyterhub-user-irene", f"irene.{DOMAIN}") in cookies
    # It names the browser and lets nobody in: by it, signing out ends all hosts' sessions.
    assert {name for name, domain in cookies if domain.startswith(".")} <= {"jupyterhub-session-id"}
