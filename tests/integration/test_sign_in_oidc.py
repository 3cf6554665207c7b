"""Sign-in at a real provider of OpenID Connect (Canaille): who comes in, as whom, and who does not."""

import socket
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.support.canaille import Canaille
from tests.support.installation import Installation
from tests.support.people import Person
from tests.support.session import Browser, OpenBrowser, status_with
from tests.support.settings import configured

PEOPLE = {
    "wanda": "wanda-at-institute",
    "victor": "victor-at-institute",
    "admin": "admin-at-institute",
    "xenia": "xenia-there",
}
GROUPS = {"engineers": ["wanda", "admin"], "bosses": [], "guests": ["victor"]}


def free_port() -> int:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return int(holder.getsockname()[1])


@pytest.fixture(scope="module")
def provider(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canaille]:
    """A provider, and the platform configured for it; afterwards as before."""
    canaille = Canaille(tmp_path_factory.mktemp("canaille"), free_port(), installation.url)
    canaille.wishes["back_uri"] = f"{installation.places.origin}/hub/login"
    canaille.set_people(PEOPLE, GROUPS)
    canaille.start()
    secret = installation.places.secrets / "sign-in"
    secret.write_text(canaille.wishes["secret"])
    secret.chmod(0o600)
    changes = {
        "accounts.sign_in": "oidc",
        "accounts.provider_url": canaille.issuer,
        "accounts.provider_client_id": "twinhub",
        "accounts.provider_button": "Sign in at the institute",
        "accounts.allowed_groups": ["engineers", "bosses"],
        "accounts.admin_groups": ["bosses"],
    }
    try:
        with configured(installation, changes):
            yield canaille
            for name in ("wanda", "wanda-two"):
                installation.twinhub("user", "remove", name, "--yes", check=False)
                installation.twinhub("user", "purge", name, "--yes", check=False)
    finally:
        secret.unlink()
        canaille.stop()


def go_there(browser: Browser, target: str = "/app/library") -> httpx2.Response:
    """Press the provider's button; end on its own page."""
    # Canaille's tokens count whole seconds: two for one person in one second are the same, which its database refuses.
    time.sleep(1 - time.time() % 1)
    page = browser.http.get("/hub/login", params={"next": target})
    assert "Sign in at the institute" in page.text
    return browser.http.get("/hub/oauth_login", params={"next": target})


def sign_in_there(browser: Browser, name: str, target: str = "/app/library") -> httpx2.Response:
    """Sign in at the provider; end where the platform sends the browser."""
    page = browser.send_form(go_there(browser, target), login=name)
    return browser.send_form(page, password=PEOPLE[name])


def come_in(browser: Browser, name: str, target: str = "/app/library") -> None:
    """Sign in at the provider and be where one wanted to go."""
    page = sign_in_there(browser, name, target)
    assert (page.status_code, page.url.path) == (200, target), f"{page.url}\n{page.text[-3000:]}"


def callback_of(browser: Browser, name: str) -> httpx2.Response:
    """Sign in at the provider up to the redirect that leads back here, which is not followed."""
    page = browser.send_form(go_there(browser), login=name)
    browser.http.follow_redirects = False
    answer = browser.send_form(page, password=PEOPLE[name])
    while (target := answer.url.join(answer.headers["location"])).path != "/hub/oauth_callback":
        answer = browser.http.get(target)
    browser.http.follow_redirects = True
    return answer


def who(browser: Browser) -> dict[str, object]:
    cookies = browser.captured()
    answer = httpx2.get(
        f"{browser.installation.url}/hub/api/user",
        headers={"Cookie": cookies, "Referer": f"{browser.installation.url}/hub/"},
        trust_env=False,
    )
    return dict(answer.json())


def test_somebody_of_an_allowed_group_comes_in_with_their_groups(provider: Canaille, open_browser: OpenBrowser) -> None:
    """No password here, no form, no waiting; and the way back is where they wanted to go."""
    browser = open_browser()
    come_in(browser, "wanda", "/app/tokens")
    me = who(browser)
    assert (me["name"], me["admin"], me["groups"]) == ("wanda", False, ["engineers"])


def test_groups_and_the_administrators_role_follow_the_provider_at_the_next_sign_in(
    provider: Canaille, open_browser: OpenBrowser
) -> None:
    """Who leaves the department must lose what it gave them."""
    try:
        provider.set_people(PEOPLE, {**GROUPS, "bosses": ["wanda"]})
        first = open_browser()
        come_in(first, "wanda")
        assert (who(first)["admin"], sorted(who(first)["groups"])) == (True, ["bosses", "engineers"])  # type: ignore[call-overload]
        assert first.http.get("/hub/accounts").status_code == 200
    finally:
        provider.set_people(PEOPLE, GROUPS)
    second = open_browser()
    come_in(second, "wanda")
    assert (who(second)["admin"], who(second)["groups"]) == (False, ["engineers"])
    assert first.http.get("/hub/accounts").status_code == 403


def test_somebody_of_no_allowed_group_is_told_so(provider: Canaille, open_browser: OpenBrowser) -> None:
    """In words, with the remedy; and no account is made."""
    browser = open_browser()
    page = sign_in_there(browser, "victor")
    assert page.status_code == 403
    assert "none of the groups that may sign in here" in page.text
    assert "engineers, bosses" in page.text
    assert "victor" not in browser.installation.twinhub("user", "list").stdout


def test_a_claim_that_equals_a_local_account_takes_nothing_over(provider: Canaille, open_browser: OpenBrowser) -> None:
    """Somebody who is called 'admin' at the provider must not become our administrator."""
    browser = open_browser()
    page = sign_in_there(browser, "admin")
    assert page.status_code == 403
    assert "somebody else has it" in page.text
    assert "id-of-admin" in page.text
    assert status_with(browser.installation, browser.captured(), "/hub/password") == 302


def test_an_administrator_gives_another_name_to_whom_was_refused(
    provider: Canaille, installation: Installation, open_browser: OpenBrowser
) -> None:
    """The remedy that the refusal names."""
    installation.twinhub("user", "link", "wanda-two", "id-of-admin")
    browser = open_browser()
    sign_in_there(browser, "admin")
    assert who(browser)["name"] == "wanda-two"


def test_the_first_administrator_signs_in_beside_the_provider(provider: Canaille, open_browser: OpenBrowser) -> None:
    """Also when the provider is down, which is when somebody must repair it."""
    provider.stop()
    try:
        browser = open_browser()
        page = browser.sign_in("admin", browser.installation.admin_password)
        assert page.url.path == "/app/library"
        refused = open_browser().http.get("/hub/oauth_login")
        assert refused.status_code == 503
        assert "does not answer" in refused.text
        assert "can sign in below" in refused.text
    finally:
        provider.start()


@pytest.mark.parametrize("damage", ["state", "code", "cookie", "twice", "denied"])
def test_a_way_back_that_is_not_this_browsers_own_signs_nobody_in(
    provider: Canaille, open_browser: OpenBrowser, damage: str
) -> None:
    """A forged or captured link must not sign a victim in as somebody else, nor an attacker as the victim."""
    browser = open_browser()
    back = callback_of(browser, "wanda").headers["location"]
    query = {key: values[0] for key, values in parse_qs(urlsplit(back).query).items()}
    if damage == "cookie":
        browser = open_browser()
    if damage == "denied":
        query = {"error": "access_denied", "error_description": "<script>alert(1)</script>", "state": query["state"]}
    elif damage != "twice":
        query["state" if damage == "state" else "code"] = "eyJzdGF0ZV9pZCI6ICJ4In0=" if damage == "state" else "made-up"
    else:
        browser.http.get(back)
        browser = open_browser()
    if damage == "cookie":
        query["code"] = parse_qs(urlsplit(back).query)["code"][0]
    answer = browser.http.get("/hub/oauth_callback", params=query)
    assert answer.status_code in (400, 403, 503), answer.text[-500:]
    assert "<script>alert" not in answer.text
    assert "Traceback" not in answer.text
    assert "jupyterhub-hub-login" not in browser.captured()


def test_a_captured_code_of_somebody_else_does_not_fit_another_sign_in(
    provider: Canaille, open_browser: OpenBrowser
) -> None:
    """Code injection: the nonce and the proof key belong to the browser that began."""
    victim, attacker = open_browser(), open_browser()
    code = parse_qs(urlsplit(callback_of(victim, "wanda").headers["location"]).query)["code"][0]
    begun = go_there(attacker)
    state = parse_qs(urlsplit(str(begun.history[1].url if len(begun.history) > 1 else begun.url)).query).get(
        "state", [""]
    )[0]
    assert state
    answer = attacker.http.get("/hub/oauth_callback", params={"code": code, "state": state})
    assert answer.status_code in (400, 403, 503)
    assert "jupyterhub-hub-login" not in attacker.captured()


def test_signing_out_leads_to_the_providers_own_end_of_session(provider: Canaille, open_browser: OpenBrowser) -> None:
    """Otherwise the next person at this browser comes in with one click."""
    browser = open_browser()
    come_in(browser, "wanda")
    stolen = browser.captured()
    away = browser.write("POST", "/app/signout").json()["next"]
    assert away.startswith(f"{provider.issuer}/oauth/end_session?")
    end = browser.http.get(away)
    assert end.url.path == "/hub/login"
    assert status_with(browser.installation, stolen, "/app/api/workspace") == 401
    assert go_there(browser).url.path.endswith("/login")  # the provider asks again


def test_a_token_takes_a_fresh_sign_in_of_somebody_without_a_password(
    provider: Canaille, open_browser: OpenBrowser
) -> None:
    """A stolen cookie alone makes no token that outlives it."""
    browser = open_browser()
    come_in(browser, "wanda")
    wish = {"note": "x", "access": "library-read", "hours": 1}
    made = browser.write("POST", "/app/api/tokens", wish)
    assert made.status_code == 201, made.text
    assert browser.write("GET", "/app/api/tokens").json()["proof"] == "provider"


def test_a_removed_person_stays_out_and_can_be_restored(
    provider: Canaille, installation: Installation, open_browser: OpenBrowser, pierre: Person
) -> None:
    """The provider still knows them; here an administrator has decided."""
    browser = open_browser()
    come_in(browser, "wanda")
    stolen = browser.captured()
    installation.twinhub("user", "remove", "wanda", "--yes")
    assert status_with(installation, stolen, "/app/api/workspace") == 401
    assert "was removed" in sign_in_there(open_browser(), "wanda").text
    installation.twinhub("user", "restore", "wanda")
    again = open_browser()
    come_in(again, "wanda")
    assert who(again)["name"] == "wanda"


def test_no_secret_of_the_sign_in_stands_in_a_log(
    provider: Canaille, installation: Installation, open_browser: OpenBrowser
) -> None:
    """Neither the client's secret nor a code, a state or a token."""
    browser = open_browser()
    back = callback_of(browser, "wanda")
    browser.http.get(back.headers["location"])
    code = parse_qs(urlsplit(back.headers["location"]).query)["code"][0]
    text = (installation.places.log / "hub.log").read_text(errors="replace")
    assert provider.wishes["secret"] not in text
    assert code not in text
