"""The administration page, as administrators see it and others do not."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.support.visitor import Visitor


def test_an_administrator_sees_how_the_platform_is(admin: Visitor, shot: Callable[..., None]) -> None:
    """Whoever is called at night wants to know what is wrong, and what to do, on one page."""
    page = admin.open("/app/library")
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.get_by_text(admin.name, exact=True).click()
    page.get_by_role("link", name="Administration").click()
    expect(page.get_by_role("heading", name="Administration")).to_be_visible()
    for part in ("gateway", "hub", "libms", "web", "monitor"):
        row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=part, exact=True))
        expect(row.get_by_text("runs", exact=True)).to_be_visible()
    expect(page.locator("#tiles")).to_contain_text("Last backup")
    expect(page.locator("#overall")).not_to_have_text("…")
    expect(page.locator("#plot canvas").or_(page.locator("#plot-empty:visible")).first).to_be_visible()
    assert problems == []
    shot(page, "admin")
    page.close()


def test_the_page_fits_a_phone(admin: Visitor) -> None:
    """Alarms reach people on the way."""
    page = admin.open("/app/admin")
    expect(page.locator("#parts tr").first).to_be_visible()
    page.set_viewport_size({"width": 360, "height": 780})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.close()


def test_somebody_else_is_told_that_it_is_not_for_them(engineer: Visitor) -> None:
    """How many people work, and when the disk is full, is not everybody's business."""
    page = engineer.open("/app/admin")
    expect(page.get_by_text("Only administrators may see how the platform is.")).to_be_visible()
    assert answer_status(page, "/app/api/admin/state") == 403
    assert answer_status(page, "/app/metrics") == 403
    page.close()


def answer_status(page: Page, address: str) -> int:
    return page.request.get(address).status
