"""Somebody in front of a browser, doing what pages let them do."""

from dataclasses import dataclass

from playwright.sync_api import BrowserContext, Page, expect


@dataclass
class Visitor:
    """A person, their password and their browser."""

    name: str
    password: str
    context: BrowserContext

    def open(self, address: str) -> Page:
        """Open a page in a new tab."""
        page = self.context.new_page()
        page.goto(address)
        return page

    def type_credentials(self, page: Page, password: str | None = None) -> None:
        """Fill and send the sign-in form."""
        page.get_by_label("User name").fill(self.name)
        page.get_by_label("Password").fill(password or self.password)
        page.get_by_role("button", name="Sign in").click()

    def sign_in(self) -> Page:
        """Sign in from the front door; end on the Library."""
        page = self.open("/")
        self.type_credentials(page)
        expect(page.get_by_role("heading", name="Library", exact=True)).to_be_visible()
        return page

    def sign_up(self) -> Page:
        """Ask for an account."""
        page = self.open("/")
        page.get_by_role("link", name="Ask for one").click()
        page.get_by_label("User name").fill(self.name)
        page.get_by_label("New password").fill(self.password)
        page.get_by_label("The same again").fill(self.password)
        page.get_by_role("button", name="Ask for an account").click()
        expect(page.get_by_role("status")).to_contain_text(self.name)
        return page


def admit(admin: Visitor, name: str) -> Page:
    """Let somebody in who has asked for an account."""
    page = admin.open("/hub/accounts")
    page.get_by_role("button", name=f"Admit {name}").click()
    expect(page.get_by_role("status")).to_contain_text(name)
    return page
