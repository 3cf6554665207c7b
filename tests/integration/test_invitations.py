"""Invitations, and the accounts they make: in at once, never by a log, and gone so that it can be undone."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.support.installation import Installation
from tests.support.session import Browser, OpenBrowser

NEW = {"new_password": "the password of iris", "new_password_again": "the password of iris"}


@pytest.fixture
def invited(installation: Installation) -> Iterator[str]:
    """The name of somebody who may come and is gone afterwards."""
    yield "iris"
    installation.twinhub("user", "remove", "iris", "--yes", check=False)
    installation.twinhub("user", "purge", "iris", "--yes", check=False)


@pytest.fixture
def admin(open_browser: OpenBrowser, installation: Installation) -> Browser:
    browser = open_browser()
    browser.sign_in("admin", installation.admin_password)
    return browser


def act(admin: Browser, **form: str) -> str:
    """Press a button of the page of accounts."""
    page = admin.http.get("/hub/accounts")
    return admin.send_form(page, **form).text


def test_a_link_makes_one_account_and_stands_in_no_log(
    installation: Installation, open_browser: OpenBrowser, invited: str
) -> None:
    """The link is as good as a password until it is used."""
    link = installation.twinhub("user", "invite", "--groups", "turbines", "--note", "for iris").stdout.strip()
    address, _, token = link.partition("#")
    assert address == f"{installation.places.origin}/hub/invite"
    browser = open_browser()
    page = browser.send_form(browser.http.get("/hub/invite"), invitation=token, username=invited, **NEW)
    assert page.url.path == "/app/library"
    again = open_browser()
    refused = again.send_form(again.http.get("/hub/invite"), invitation=token, username="mallory", **NEW)
    assert refused.status_code == 403
    assert "used already" in refused.text
    people = installation.twinhub("user", "list", "--json").stdout
    assert '"turbines"' in people
    assert "mallory" not in people
    found = subprocess.run(["grep", "-rlF", token, str(installation.places.log)], capture_output=True, check=False)
    assert found.stdout == b""


def test_a_link_that_was_taken_back_opens_nothing(
    installation: Installation, open_browser: OpenBrowser, admin: Browser
) -> None:
    """The wrong address in a mail is noticed a moment later."""
    text = act(admin, action="invite", note="a slip", uses="3", hours="24")
    token = text.partition("/hub/invite#")[2].partition("<")[0]
    number = text.partition('name="invitation" value="')[2].partition('"')[0]
    assert "taken back" in act(admin, action="uninvite", invitation=number)
    browser = open_browser()
    page = browser.send_form(browser.http.get("/hub/invite"), invitation=token, username="mallory", **NEW)
    assert page.status_code == 403


def test_a_removed_account_is_out_at_once_and_comes_back_whole(
    installation: Installation, open_browser: OpenBrowser, admin: Browser, invited: str
) -> None:
    """The wrong line of a long list is clicked sooner or later."""
    installation.twinhub("user", "add", invited, "--password-stdin", given=NEW["new_password"] + "\n")
    browser = open_browser()
    browser.sign_in(invited, NEW["new_password"])
    assert browser.write("POST", "/lib", {"query": "{__typename}"}).status_code == 200
    assert "can be restored" in act(admin, action="remove", username=invited)
    assert browser.http.get("/app/api/workspace", headers={"Accept": "application/json"}).status_code == 401
    assert "Wrong user name" in open_browser().sign_in(invited, NEW["new_password"]).text
    other = open_browser()
    taken = other.send_form(other.http.get("/hub/signup"), username=invited, **NEW)
    assert "was removed" in taken.text
    assert "is back" in act(admin, action="restore", username=invited)
    assert open_browser().sign_in(invited, NEW["new_password"]).url.path == "/app/library"


def test_the_last_administrator_stays_one(admin: Browser, installation: Installation) -> None:
    """A platform without one cannot be repaired from its pages."""
    assert "last administrator" in act(admin, action="demote", username="admin")
    assert "cannot remove yourself" in act(admin, action="remove", username="admin")
    refused = installation.twinhub("user", "remove", "admin", "--yes", check=False)
    assert (refused.returncode, "last administrator" in refused.stderr) == (1, True)


def test_only_administrators_come_to_the_page_of_accounts(
    installation: Installation, open_browser: OpenBrowser, invited: str
) -> None:
    """Neither by its address nor by that of the hub's own page, nor by the operator's interface."""
    installation.twinhub("user", "add", invited, "--password-stdin", given=NEW["new_password"] + "\n")
    browser = open_browser()
    browser.sign_in(invited, NEW["new_password"])
    for path in ("/hub/accounts", "/hub/admin", "/hub/api/twinhub/accounts"):
        assert browser.http.get(path).status_code == 403, path
    form = {"action": "promote", "username": invited}
    assert browser.http.post("/hub/accounts", data=form).status_code == 403


def test_the_hubs_own_pages_lead_to_ours(admin: Browser) -> None:
    """Bookmarks and tutorials know the old addresses."""
    ours = {"/hub/admin": "/hub/accounts", "/hub/token": "/app/tokens", "/hub/home": "/app/workbench"}
    for old, new in ours.items():
        assert admin.http.get(old).url.path == new


@pytest.mark.parametrize(
    "form",
    [
        {"action": "x" * 10_000},
        {"action": "invite", "hours": "-1"},
        {"action": "invite", "hours": "9" * 400},
        {"action": "invite", "groups": "x" * 300},
        {"action": "groups", "username": "../../etc", "groups": "x"},
        {"action": "uninvite", "invitation": "1 OR 1=1"},
        {"action": "service-add", "username": "root", "access": "library-read"},
        {"action": "service-add", "username": "robot", "access": "inherit"},
        {"action": "restore", "username": "nobody-here"},
    ],
)
def test_a_hostile_form_is_refused_in_words(admin: Browser, form: dict[str, str]) -> None:
    """An administrator's browser sends what a page tells it; none of it may end in a traceback."""
    page = admin.send_form(admin.http.get("/hub/accounts"), **form)
    assert 400 <= page.status_code < 500, page.text
    assert 'role="alert"' in page.text
    assert len(page.text) < 100_000
