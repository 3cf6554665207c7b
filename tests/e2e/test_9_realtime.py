"""Job 9: a model is deployed from the page; its instances are seen live, asked about, put on a dashboard; an alert is acknowledged."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.visitor import Visitor

Shot = Callable[..., None]
MODEL = Path(__file__).parents[2] / "examples" / "realtime" / "gas_sensor" / "model.py"
NAME = "GasSensor"
FIRST_START_MS = 240_000
"""The first model of a person starts a workspace for all of them."""
SOON_MS = 20_000

NAMELESS = """() => {
  const named = (one) => one.labels?.length || one.getAttribute("aria-label") || one.getAttribute("aria-labelledby")
    || one.textContent.trim() || one.getAttribute("title");
  const controls = document.querySelectorAll("main :is(button, a[href], input, select, textarea, [role=application])");
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  return [...[...controls].filter((one) => !named(one)).map((one) => one.outerHTML), ...ids.filter((id, at) => ids.indexOf(id) !== at)];
}"""
"""Controls that a screen reader could not name, and ids that stand twice."""


@pytest.fixture
def page(engineer: Visitor) -> Iterator[Page]:
    """The Real-time page, where no script fails."""
    opened = engineer.open("/app/realtime")
    failures: list[str] = []
    opened.on("pageerror", lambda error: failures.append(str(error)))
    yield opened
    opened.close()
    assert failures == []


@pytest.fixture(scope="module")
def deployed(engineer: Visitor) -> str:
    """The gas sensor of the examples, deployed from the page; its name."""
    page = engineer.open("/app/realtime")
    page.get_by_role("button", name="Deploy a model …").first.click()
    page.get_by_label("Python file of the model").set_input_files(MODEL)
    expect(page.get_by_role("status").filter(has_text="is ready to deploy")).to_be_visible()
    page.get_by_label("What is new").fill("the first")
    page.get_by_role("button", name="Deploy", exact=True).click()
    expect(page.get_by_role("heading", name=NAME, exact=True)).to_be_visible(timeout=FIRST_START_MS)
    expect(page.locator(".tw-twin-head .tw-badge")).to_have_text("running", timeout=FIRST_START_MS)
    page.close()
    return NAME


@pytest.fixture(scope="module")
def sensors(engineer: Visitor, deployed: str) -> str:
    """Twelve sensors that have sent a reading each, one of them of danger; the model's name."""
    page = engineer.open("/app/realtime")
    token = page.locator("meta[name=xsrf-token]").get_attribute("content") or ""
    messages = [{"id": f"kitchen-{number}", "message": {"type": "Reading", "ppm": 20 + number}} for number in range(12)]
    messages.append({"id": "kitchen-3", "message": {"type": "Reading", "ppm": 250}})
    address = f"/realtime/{engineer.name}/models/{deployed}/messages"
    answer = page.request.post(address, data=messages, headers={"X-XSRFToken": token})
    assert answer.ok, answer.text()
    assert answer.json()["accepted"] == 13
    page.close()
    return deployed


def widget(page: Page, title: str) -> Locator:
    return page.get_by_role("group", name=title, exact=True)


def ask(page: Page, model: str) -> None:
    """Ask for the highest reading of each state of the alarm."""
    page.goto(f"/app/realtime/query?model={model}")
    page.get_by_role("button", name="Group by …").click()
    page.get_by_label("Group 1").select_option("alarm")
    page.get_by_role("button", name="Another measure").click()
    page.get_by_label("Measure 2", exact=True).select_option("max")
    page.get_by_label("Field of measure 2").select_option("ppm")


# --- the model ------------------------------------------------------------------------------------------------------


def test_the_page_is_one_click_away_and_named_for_screen_readers(page: Page, deployed: str, shot: Shot) -> None:
    """A part that is not in the navigation does not exist."""
    page.goto("/app/library")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Real-time").click()
    card = page.locator(f"[data-model={deployed}]")
    expect(card).to_contain_text("running")
    expect(page.get_by_role("link", name="Real-time")).to_have_attribute("aria-current", "page")
    assert page.evaluate(NAMELESS) == []
    shot(page, "realtime-models")


def test_a_model_that_cannot_run_is_refused_in_words(page: Page, deployed: str, shot: Shot) -> None:
    """Whoever forgot a default is told which field, and nothing else changes."""
    page.get_by_role("button", name="Deploy a model …").first.click()
    page.get_by_role("tab", name="From this computer").click()
    broken = b"from realtime import Twin\n\n\nclass Broken(Twin):\n    level: float\n"
    page.get_by_label("Python file of the model").set_input_files(
        {"name": "broken.py", "mimeType": "text/x-python", "buffer": broken}
    )
    page.get_by_role("button", name="Deploy", exact=True).click()
    refusal = page.get_by_role("dialog").get_by_role("alert")
    expect(refusal).to_contain_text("level", timeout=60_000)
    shot(page, "realtime-refused", full_page=False)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("[data-model=Broken]")).to_have_count(0)


def test_every_part_of_a_model_opens_and_is_named(page: Page, sensors: str, engineer: Visitor, shot: Shot) -> None:
    """Seven tabs; one that fails is found by the person who needs it."""
    page.goto(f"/app/realtime/models/{sensors}")
    for label in ("Overview", "Instances", "Map", "Send", "Devices", "Dead letters", "Versions"):
        tab = page.get_by_role("tab", name=label, exact=True)
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")
        expect(page.locator("#model-panel").get_by_role("alert").and_(page.locator(":visible"))).to_have_count(0)
        assert page.evaluate(NAMELESS) == [], label
        shot(page, f"realtime-model-{label.lower().replace(' ', '-')}")
    page.get_by_role("tab", name="Send", exact=True).click()
    example = page.get_by_role("region", name="Example for curl")
    expect(example).to_contain_text(f"/realtime/{engineer.name}/models/{sensors}/instances/")


def test_a_device_gets_a_key_that_is_shown_once(page: Page, deployed: str) -> None:
    """A key that could be read again is one that a colleague reads."""
    page.goto(f"/app/realtime/models/{deployed}/devices")
    page.get_by_label("Device", exact=True).fill("kitchen-key")
    page.get_by_role("button", name="Make a key").click()
    made = page.get_by_role("status").filter(has_text="shown only this once")
    expect(made).to_contain_text("/kitchen-key")
    key = made.locator("code").last.inner_text()
    assert len(key) > 30
    page.reload()
    expect(page.get_by_role("cell", name="kitchen-key", exact=True)).to_be_visible()
    assert key not in page.content()
    page.get_by_role("button", name="Revoke the key of kitchen-key").click()
    page.get_by_role("button", name="Revoke", exact=True).click()
    expect(page.get_by_role("cell", name="kitchen-key", exact=True)).to_have_count(0)


# --- instances ------------------------------------------------------------------------------------------------------


def test_instances_are_filtered_and_sorted(page: Page, sensors: str, shot: Shot) -> None:
    """Which sensor is it: with a condition, in its order, behind an address that can be sent to a colleague."""
    page.goto(f"/app/realtime/models/{sensors}/instances")
    rows = page.locator("tr[data-id]")
    expect(rows.nth(11)).to_be_visible()
    where = page.get_by_role("combobox", name="Only instances where")
    where.fill("pp")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(where).to_have_value("ppm ")
    where.press_sequentially("> 28")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(4)
    page.get_by_role("button", name=re.compile("^ppm")).click()
    page.get_by_role("button", name=re.compile("^ppm")).click()
    expect(rows.first).to_have_attribute("data-id", "kitchen-3")
    assert "where=ppm+%3E+28" in page.url
    page.reload()
    expect(rows).to_have_count(4)
    shot(page, "realtime-instances-filtered")
    where.fill("ppm >")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").and_(page.locator(":visible"))).not_to_be_empty()


def test_a_message_by_hand_changes_the_instance_while_one_looks(page: Page, sensors: str, shot: Shot) -> None:
    """The shortest way from an idea to seeing it."""
    page.goto(f"/app/realtime/models/{sensors}/instances/kitchen-7")
    value = page.locator(".tw-state-list > div", has=page.get_by_text("ppm", exact=True)).locator(".tw-state-value")
    expect(value).to_have_text("27")
    form = page.locator(".tw-message-form")
    form.get_by_label("Kind").select_option("Reading")
    form.get_by_label("ppm").fill("41.5")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("on disk")).to_be_visible()
    expect(value).to_have_text("41.5", timeout=SOON_MS)
    expect(page.locator(".tw-plot-area canvas")).to_be_visible(timeout=SOON_MS)
    assert page.evaluate(NAMELESS) == []
    shot(page, "realtime-instance")


def test_a_message_that_does_not_fit_is_kept_with_the_fields_name(page: Page, sensors: str, engineer: Visitor) -> None:
    """A device with other firmware is found by what it sent, and its message is not lost."""
    token = page.locator("meta[name=xsrf-token]").get_attribute("content") or ""
    address = f"/realtime/{engineer.name}/models/{sensors}/instances/kitchen-new/messages"
    sent = page.request.post(address, data={"type": "Reading", "ppm": "much"}, headers={"X-XSRFToken": token})
    assert sent.ok, sent.text()
    page.goto(f"/app/realtime/models/{sensors}/dead-letters")
    letter = page.get_by_role("list", name="Messages put aside").get_by_role("listitem").first
    expect(letter).to_contain_text("kitchen-new", timeout=SOON_MS)
    expect(letter).to_contain_text("ppm")
    letter.get_by_role("button", name="Change the message").click()
    page.get_by_label("Message as JSON").fill('{"type": "Reading", "ppm": 12}')
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("list", name="Messages put aside").get_by_text("kitchen-new")).to_have_count(
        0, timeout=SOON_MS
    )


# --- questions and dashboards ---------------------------------------------------------------------------------------


def test_a_question_becomes_a_widget_that_is_live(page: Page, sensors: str, engineer: Visitor, shot: Shot) -> None:
    """What is asked often is looked at, not asked again."""
    ask(page, sensors)
    expect(page.locator(".tw-answer")).to_contain_text("250", timeout=SOON_MS)
    page.get_by_label("Show as").select_option("table")
    expect(page.get_by_role("columnheader", name="max_ppm")).to_be_visible()
    assert page.evaluate(NAMELESS) == []
    shot(page, "realtime-query")
    page.get_by_role("button", name="Add to dashboard …").click()
    page.get_by_label("Title").fill("Worst readings")
    page.get_by_label("Dashboard", exact=True).select_option(label="a new one …")
    page.get_by_label("Name of the new one").fill("kitchens")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("button", name="Open it").click()
    expect(widget(page, "Worst readings")).to_contain_text("250", timeout=SOON_MS)
    token = page.locator("meta[name=xsrf-token]").get_attribute("content") or ""
    address = f"/realtime/{engineer.name}/models/{sensors}/instances/kitchen-3/messages"
    page.request.post(address, data={"type": "Reading", "ppm": 333}, headers={"X-XSRFToken": token})
    expect(widget(page, "Worst readings")).to_contain_text("333", timeout=SOON_MS)
    shot(page, "realtime-dashboard")


def test_widgets_are_added_moved_and_brought_back(page: Page, sensors: str) -> None:
    """A dashboard is arranged by trying; nothing that is tried costs what was there."""
    page.goto("/app/realtime/dashboards/kitchens")
    expect(widget(page, "Worst readings")).to_be_visible()
    page.get_by_role("button", name="Add a widget …").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Title").fill("Sensors")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(widget(page, "Sensors")).to_contain_text(re.compile(r"1[23]"), timeout=SOON_MS)
    widget(page, "Sensors").get_by_role("button", name="Change Sensors").click()
    page.get_by_role("menuitem", name="Move forward").click()
    expect(page.locator(".tw-widget h3").first).to_have_text("Sensors")
    widget(page, "Worst readings").get_by_role("button", name="Change Worst readings").click()
    page.get_by_role("menuitem", name="Remove").click()
    expect(widget(page, "Worst readings")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(widget(page, "Worst readings")).to_be_visible()
    page.reload()
    expect(page.locator(".tw-widget")).to_have_count(2)


# --- alerts ---------------------------------------------------------------------------------------------------------


def test_an_alert_is_acknowledged(page: Page, sensors: str, shot: Shot) -> None:
    """Two people on duty must not both run to the same kitchen."""
    page.goto(f"/app/realtime/alerts?model={sensors}")
    alert = page.locator(".tw-alert", has_text="kitchen-3").first
    expect(alert).to_contain_text("dangerous", timeout=SOON_MS)
    assert page.evaluate(NAMELESS) == []
    shot(page, "realtime-alerts")
    alert.get_by_role("button", name=re.compile("^Acknowledge")).click()
    expect(alert).to_have_attribute("data-state", "acknowledged")
    page.get_by_label("State", exact=True).select_option("acknowledged")
    expect(page.locator(".tw-alert", has_text="kitchen-3")).to_be_visible()


def test_a_rule_raises_an_alert_and_is_brought_back_when_deleted(page: Page, sensors: str, shot: Shot) -> None:
    """A condition that nobody thought of when the model was written."""
    page.goto("/app/realtime/alerts/rules")
    page.get_by_role("button", name="New rule …").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("stuffy")
    dialog.get_by_label("Model").select_option(sensors)
    dialog.get_by_label("Condition").fill("ppm > 40 AND ppm < 50")
    dialog.get_by_label("Text").fill("{instance} is stuffy: {ppm} ppm")
    shot(page, "realtime-rule", full_page=False)
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("list", name="Rules")).to_contain_text("stuffy")
    page.goto(f"/app/realtime/alerts?model={sensors}")
    expect(page.get_by_text("kitchen-7 is stuffy: 41.5 ppm")).to_be_visible(timeout=60_000)
    page.get_by_role("tab", name="Rules", exact=True).click()
    page.get_by_role("button", name="Delete stuffy").click()
    expect(page.get_by_role("list", name="Rules").get_by_role("listitem")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("list", name="Rules")).to_contain_text("stuffy")


# --- versions, deletion, other people -------------------------------------------------------------------------------


def test_a_new_version_keeps_the_states_and_is_rolled_back(page: Page, sensors: str) -> None:
    """A change in the middle of the day must not cost what the twins know."""
    page.goto(f"/app/realtime/models/{sensors}")
    page.get_by_role("button", name="New version …").click()
    page.get_by_label("Python file of the model").set_input_files(MODEL)
    page.get_by_label("What is new").fill("the second")
    page.get_by_role("button", name="Deploy", exact=True).click()
    page.get_by_role("tab", name="Versions").click()
    second = page.get_by_role("row").filter(has_text="the second")
    expect(second).to_contain_text("runs", timeout=60_000)
    page.get_by_role("button", name="Roll back to version 1").click()
    page.get_by_role("button", name="Roll back", exact=True).click()
    expect(page.get_by_role("row").filter(has_text="the first")).to_contain_text("runs", timeout=60_000)
    page.goto(f"/app/realtime/models/{sensors}/instances?where=id+%3D+%27kitchen-3%27")
    expect(page.locator("tr[data-id=kitchen-3]")).to_be_visible(timeout=60_000)


def test_a_deleted_model_comes_back_with_its_instances(page: Page, sensors: str) -> None:
    """A click on the wrong card."""
    page.goto(f"/app/realtime/models/{sensors}")
    page.get_by_role("button", name=f"More for {sensors}").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name=sensors, exact=True)).to_be_visible()
    page.get_by_role("tab", name="Instances").click()
    expect(page.locator("tr[data-id=kitchen-3]")).to_be_visible(timeout=60_000)


def test_nobody_else_sees_the_model(admin: Visitor, engineer: Visitor, sensors: str) -> None:
    """An administrator may look, and sees whose it is; their own list stays their own."""
    page = admin.open("/app/realtime")
    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible()
    expect(page.locator(f"[data-model={sensors}]")).to_have_count(0)
    page.goto(f"/app/realtime?owner={engineer.name}")
    expect(page.locator(f"[data-model={sensors}]")).to_be_visible(timeout=SOON_MS)
    expect(page.locator("#whose")).to_contain_text(engineer.name)
    page.close()
