"""A browser, and people in it."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.support.installation import Installation
from tests.support.visitor import Visitor, admit

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SHOTS = Path(__file__).parents[2] / "tests" / "screenshots"
"""Looked at by people; not kept in git."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def open_context(browser: Browser, installation: Installation) -> Iterator[Callable[[], BrowserContext]]:
    """Give browsers of their own, each with no cookie yet."""
    contexts = []

    def make() -> BrowserContext:
        context = browser.new_context(
            base_url=installation.url, viewport={"width": 1280, "height": 800}, accept_downloads=True
        )
        context.set_default_timeout(30_000)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def shot() -> Callable[..., None]:
    """Keep a screenshot: wide and at phone width, light and dark."""
    SHOTS.mkdir(exist_ok=True)

    def take(page: Page, name: str, *, full_page: bool = True) -> None:
        for width, height in ((1280, 800), (360, 780)):
            page.set_viewport_size({"width": width, "height": height})
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                page.screenshot(path=SHOTS / f"{name}-{width}-{scheme}.png", full_page=full_page)
        page.set_viewport_size({"width": 1280, "height": 800})
        page.emulate_media(color_scheme="light")

    return take


@pytest.fixture(scope="session")
def admin(open_context: Callable[[], BrowserContext], installation: Installation) -> Visitor:
    """The administrator, signed in with the password that the installer wrote."""
    visitor = Visitor("admin", installation.admin_password, open_context())
    visitor.sign_in().close()
    return visitor


@pytest.fixture(scope="session")
def engineer(admin: Visitor, open_context: Callable[[], BrowserContext], installation: Installation) -> Visitor:
    """A second person, who asked for an account and was admitted."""
    taken = "ada" in installation.twinhub("user", "list").stdout.split()
    visitor = Visitor(f"ada-{secrets.token_hex(2)}" if taken else "ada", secrets.token_urlsafe(9), open_context())
    visitor.sign_up().close()
    admit(admin, visitor.name).close()
    visitor.sign_in().close()
    return visitor


@pytest.fixture(scope="session")
def engineer_token(engineer: Visitor) -> str:
    """A token that the engineer made on the page of tokens."""
    page = engineer.open("/app/tokens")
    page.get_by_label("What uses it").fill("curl")
    page.get_by_label("It may").select_option("everything")
    page.get_by_label("Your password").fill(engineer.password)
    page.get_by_role("button", name="Make the token").click()
    expect(page.locator("#token")).not_to_be_empty()
    token = page.locator("#token").inner_text()
    page.close()
    return token


@pytest.fixture(scope="session")
def workspace(engineer: Visitor, installation: Installation) -> Path:
    """The engineer's running workspace; its folder as the host sees it."""
    page = engineer.open("/app/workbench")
    start = page.get_by_role("button", name="Start", exact=True)
    state = page.locator("#state")
    expect(state).not_to_have_text("…")
    if state.inner_text() != "running":
        start.click()
    expect(state).to_have_text("running", timeout=90_000)
    page.close()
    return installation.places.files / engineer.name
