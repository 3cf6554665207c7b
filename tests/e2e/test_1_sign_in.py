"""Job 1: the administrator signs in, a second person signs up and is admitted; nobody guesses passwords."""

import re
import secrets
from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from tests.support.installation import Installation
from tests.support.visitor import Visitor, admit

Shot = Callable[[Page, str], None]


def test_the_administrator_signs_in_with_the_password_the_installer_wrote(
    open_context: Callable[[], BrowserContext], installation: Installation, shot: Shot
) -> None:
    """The first minute of every installation."""
    visitor = Visitor("admin", installation.admin_password, open_context())
    page = visitor.open("/")
    expect(page).to_have_url(re.compile("/hub/login"))
    shot(page, "sign-in")
    visitor.type_credentials(page)
    expect(page).to_have_url(re.compile("/app/library"))
    expect(page.get_by_role("heading", name="Library", exact=True)).to_be_visible()


def test_no_default_password_opens_the_door(open_context: Callable[[], BrowserContext]) -> None:
    """What bots try first."""
    visitor = Visitor("admin", "admin", open_context())
    page = visitor.open("/")
    visitor.type_credentials(page)
    expect(page.get_by_role("alert")).to_contain_text("Wrong user name or password")


def test_wrong_passwords_are_refused_and_slowed_down(open_context: Callable[[], BrowserContext], shot: Shot) -> None:
    """Guessing must not pay; the refusal says how long to wait."""
    visitor = Visitor(f"mallory-{secrets.token_hex(2)}", "not the password", open_context())
    page = visitor.open("/")
    for _ in range(6):
        visitor.type_credentials(page)
        expect(page.get_by_role("alert")).to_be_visible()
        if "Wait" in page.get_by_role("alert").inner_text():
            break
    expect(page.get_by_role("alert")).to_contain_text(re.compile(r"Wait \d+|Try again in"))
    shot(page, "sign-in-slowed")


def test_a_second_person_asks_for_an_account_and_is_admitted(
    admin: Visitor, open_context: Callable[[], BrowserContext], shot: Shot
) -> None:
    """Nobody gets in by asking alone, and the administrator needs no command line."""
    visitor = Visitor(f"grace-{secrets.token_hex(2)}", secrets.token_urlsafe(9), open_context())
    page = visitor.sign_up()
    expect(page.get_by_role("status")).to_contain_text("administrator has to admit you")
    shot(page, "signed-up")
    page.goto("/")
    visitor.type_credentials(page)
    expect(page.get_by_role("alert")).to_contain_text("admit")
    waiting = admin.open("/hub/accounts")
    shot(waiting, "accounts")
    waiting.close()
    admit(admin, visitor.name).close()
    visitor.type_credentials(page)
    expect(page.get_by_role("heading", name="Library", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Accounts")).to_have_count(0)


def test_signing_out_ends_the_session_everywhere(admin: Visitor, open_context: Callable[[], BrowserContext]) -> None:
    """A shared machine in the lab."""
    visitor = Visitor(f"joan-{secrets.token_hex(2)}", secrets.token_urlsafe(9), open_context())
    visitor.sign_up().close()
    admit(admin, visitor.name).close()
    page = visitor.sign_in()
    page.get_by_label(f"Account of {visitor.name}").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("User name")).to_be_visible()
    for address in ("/app/library", "/hub/home", f"/user/{visitor.name}/lab"):
        page.goto(address)
        expect(page.get_by_label("User name")).to_be_visible()
