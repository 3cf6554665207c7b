"""The pages hold to the policy they are sent with: a browser refuses nothing of them."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.support.visitor import Visitor

SIGNED_IN = (
    "/app/library",
    "/app/library/private/models",
    "/app/digitaltwins",
    "/app/realtime",
    "/app/realtime/alerts",
    "/app/workbench",
    "/app/nowhere",
    "/lib",
    "/app/tokens",
    "/app/signout",
    "/hub/password",
    "/hub/accounts",
    "/hub/nowhere",
    "/hub/user/nobody-there/lab",
)
SIGNED_OUT = ("/hub/login", "/hub/signup", "/hub/invite", "/hub/oauth_login", "/hub/nowhere")


def refused(page: Page, address: str) -> list[str]:
    """Open an address; give what the browser refused, and failed to find."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(address)
    page.wait_for_load_state("networkidle")
    return [text for text in said if "status of 40" not in text]


@pytest.mark.parametrize("address", SIGNED_OUT)
def test_pages_before_the_sign_in_need_nothing_that_their_policy_forbids(
    open_context: Callable[[], BrowserContext], address: str
) -> None:
    """A form that a browser does not style, or a script that it does not run, keeps people out."""
    page = open_context().new_page()
    assert refused(page, address) == []
    page.close()


@pytest.mark.parametrize("address", SIGNED_IN)
def test_pages_behind_the_sign_in_need_nothing_that_their_policy_forbids(admin: Visitor, address: str) -> None:
    """One inline script that is needed, and the policy is loosened for all of them."""
    page = admin.context.new_page()
    assert refused(page, address) == []
    page.close()


def test_every_page_forbids_inline_scripts_and_frames(admin: Visitor) -> None:
    """What somebody smuggles into a page must find a browser that does not run it."""
    for address in (*SIGNED_IN, *SIGNED_OUT):
        answer = admin.context.request.get(address, headers={"Accept": "text/html"})
        rules = dict(part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";"))
        assert "unsafe-inline" not in rules.get("script-src", rules["default-src"]), address
        assert rules["frame-ancestors"] == "'none'", address
        assert rules["object-src"] == "'none'", address
        assert answer.headers["x-content-type-options"] == "nosniff", address
        assert "server" not in answer.headers, address
