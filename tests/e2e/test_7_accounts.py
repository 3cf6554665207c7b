"""Job 7: people are invited, get groups and roles, are removed and brought back; programs get tokens; who leaves is out."""

import re
import secrets
from collections.abc import Callable, Iterator

import httpx2
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.installation import Installation
from tests.support.visitor import Visitor

Shot = Callable[..., None]


@pytest.fixture(scope="module")
def rosa(open_context: Callable[[], BrowserContext], installation: Installation) -> Iterator[Visitor]:
    """Somebody without an account, who is going to be invited."""
    visitor = Visitor(f"rosa-{secrets.token_hex(2)}", secrets.token_urlsafe(9), open_context())
    yield visitor
    installation.twinhub("user", "remove", visitor.name, "--yes", check=False)


def row(page: Page, name: str) -> None:
    """Find somebody on the page of accounts and open what can be done with them."""
    page.goto(f"/hub/accounts?search={name}")
    page.locator("summary").filter(has_text=name).first.click()


def test_who_is_invited_chooses_a_name_and_is_in(admin: Visitor, rosa: Visitor, shot: Shot) -> None:
    """No password goes by mail, and nobody waits for an administrator."""
    page = admin.open("/hub/accounts")
    invitations = page.get_by_role("region", name="Invitations")
    invitations.get_by_label("For", exact=True).fill("Rosa of the bridge project")
    invitations.get_by_label("Groups").fill("bridge")
    invitations.get_by_role("button", name="Make a link").click()
    # Of the address that the browsers here use; 'localhost' is another host to their cookies.
    link = "/hub/invite#" + page.locator("#secret").inner_text().partition("/hub/invite#")[2]
    shot(page, "accounts-invited")
    page.close()
    guest = rosa.open("/hub/accounts")
    expect(guest.get_by_label("Password")).to_be_visible()
    guest.goto(link)
    expect(guest).to_have_url(re.compile("/hub/invite$"))
    shot(guest, "invitation")
    guest.get_by_label("User name").fill(rosa.name)
    guest.get_by_label("New password").fill(rosa.password)
    guest.get_by_label("The same again").fill("something else")
    guest.get_by_role("button", name="Make my account").click()
    expect(guest.get_by_role("alert")).to_be_visible()
    guest.get_by_label("New password").fill(rosa.password)
    guest.get_by_label("The same again").fill(rosa.password)
    guest.get_by_role("button", name="Make my account").click()
    expect(guest.get_by_role("heading", name="Library", exact=True)).to_be_visible()
    expect(guest.get_by_label(f"Account of {rosa.name}")).to_be_visible()
    guest.goto(link)
    guest.get_by_label("User name").fill(f"{rosa.name}-again")
    guest.get_by_label("New password").fill(rosa.password)
    guest.get_by_label("The same again").fill(rosa.password)
    guest.get_by_role("button", name="Make my account").click()
    expect(guest.get_by_role("alert")).to_contain_text("invitation")
    guest.close()


def test_groups_and_roles_hold_at_once(admin: Visitor, rosa: Visitor, shot: Shot) -> None:
    """Who becomes an administrator does not have to sign in again, nor does who is none any more."""
    page = admin.open("/hub/accounts")
    row(page, rosa.name)
    shot(page, "accounts-person")
    expect(page.get_by_text("bridge", exact=True).first).to_be_visible()
    page.get_by_label("Groups, separated by commas").fill("bridge, wind")
    page.get_by_role("button", name="Set groups").click()
    expect(page.get_by_role("status")).to_contain_text(f"{rosa.name} is in: bridge, wind")
    row(page, rosa.name)
    page.get_by_role("button", name=f"Make administrator {rosa.name}").click()
    expect(page.get_by_role("status")).to_contain_text("is an administrator now")
    hers = rosa.open("/hub/accounts")
    expect(hers.get_by_role("heading", name="Accounts", exact=True)).to_be_visible()
    row(page, rosa.name)
    page.get_by_role("button", name=f"Make an ordinary user {rosa.name}").click()
    expect(page.get_by_role("status")).to_contain_text("no administrator any more")
    hers.reload()
    expect(hers.get_by_role("heading", name="Accounts", exact=True)).to_have_count(0)
    for opened in (page, hers):
        opened.close()


def test_a_token_is_made_used_and_revoked(rosa: Visitor, installation: Installation, shot: Shot) -> None:
    """A token that leaked into a script's history is taken back on the page, at once."""
    page = rosa.open("/app/tokens")
    expect(page.locator("#none")).to_be_visible()
    page.get_by_label("What uses it").fill("import at night")
    page.get_by_label("Your password").fill("not my password")
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_role("alert")).to_contain_text("password is wrong")
    page.get_by_label("Your password").fill(rosa.password)
    page.get_by_role("button", name="Make the token").click()
    expect(page.locator("#token")).not_to_be_empty()
    headers = {"Authorization": f"token {page.locator('#token').inner_text()}"}
    address = f"{installation.url}/lib/files/{rosa.name}/data/"
    assert httpx2.get(address, headers=headers, trust_env=False).status_code == 200
    page.reload()
    expect(page.locator("#token")).to_be_empty()
    expect(page.get_by_role("row").filter(has_text="import at night")).not_to_contain_text("never")
    shot(page, "tokens")
    page.get_by_role("button", name="Revoke import at night").click()
    page.get_by_role("button", name="Revoke it").click()
    expect(page.locator("#none")).to_be_visible()
    assert httpx2.get(address, headers=headers, trust_env=False).status_code == 401
    page.close()


def test_who_signs_out_leaves_nothing_behind_the_back_button(rosa: Visitor, shot: Shot) -> None:
    """The next person at a shared machine presses it."""
    page = rosa.open("/app/library/private/data")
    expect(page.get_by_role("heading", name="Library", exact=True)).to_be_visible()
    page.goto("/app/tokens")
    expect(page.get_by_role("heading", name="Tokens", exact=True)).to_be_visible()
    page.goto("/app/signout")
    shot(page, "sign-out")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("User name")).to_be_visible()
    for _ in range(3):
        page.go_back()
        expect(page.get_by_label("User name")).to_be_visible()
        expect(page.get_by_text(rosa.name)).to_have_count(0)
    assert page.request.get("/app/api/workspaces").status == 401
    page.close()


def test_a_removal_is_undone_by_one_click(admin: Visitor, rosa: Visitor, shot: Shot) -> None:
    """The wrong line was clicked; the person must not notice more than a sign-in."""
    page = admin.open("/hub/accounts")
    row(page, rosa.name)
    page.get_by_text("Remove the account").click()
    page.get_by_role("button", name=f"Remove {rosa.name}").click()
    expect(page.get_by_role("status")).to_contain_text("is removed")
    shot(page, "accounts-removed")
    hers = rosa.open("/")
    rosa.type_credentials(hers)
    expect(hers.get_by_role("alert")).to_contain_text("Wrong user name or password")
    page.get_by_role("button", name=f"Undo {rosa.name}").click()
    expect(page.get_by_role("status")).to_contain_text("is back")
    rosa.type_credentials(hers)
    expect(hers.get_by_role("heading", name="Library", exact=True)).to_be_visible()
    for opened in (page, hers):
        opened.close()
