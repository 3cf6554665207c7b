"""Job 4: a twin's life on its page, from an example to a replay, for somebody who has never seen a terminal."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.installation import wait_until, write_as_owner
from tests.support.visitor import Visitor

Shot = Callable[[Page, str], None]
NAME = "my-tank"


@pytest.fixture(scope="module")
def tank(engineer: Visitor, workspace: Path) -> str:
    """A twin made from an example in the dialog, its FMUs built."""
    page = engineer.open("/app/digitaltwins")
    page.locator("#new-twin").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Water tank with fault injection").first.click()
    dialog.locator("#new-name").fill(NAME)
    dialog.get_by_role("button", name="Make twin").click()
    expect(page).to_have_url(re.compile(f"/app/digitaltwins/{NAME}"))
    assert (workspace / "digital_twins" / NAME / "twin.yaml").exists()
    page.goto(f"/app/digitaltwins/{NAME}/create")
    page.get_by_role("button", name=re.compile("^Run create of ")).first.click()
    expect(page.locator("#log-state")).to_have_text("succeeded", timeout=60_000)
    page.close()
    return NAME


def outputs(page: Page, twin: str) -> None:
    page.goto(f"/app/digitaltwins/{twin}/analyze")
    expect(page.locator('[data-panel="outputs"]')).to_contain_text("outputs.csv")


def test_what_a_twin_is_made_of_is_shown_and_explored(engineer: Visitor, tank: str, shot: Shot) -> None:
    """The picture, and the report whether all of it fits; the co-simulation tool is among the shared assets."""
    page = engineer.open(f"/app/digitaltwins/{tank}/create")
    expect(page.locator("svg.tw-composition")).to_be_visible()
    expect(page.locator('[data-panel="composition"]')).to_contain_text("cosim")
    page.get_by_role("button", name="Explore", exact=True).click()
    report = page.locator('[data-panel="explore"]')
    expect(report).to_contain_text(re.compile("connection|cosim"), timeout=60_000)
    expect(report).not_to_contain_text("missing")
    shot(page, "twin-create")
    page.close()


def test_a_mistake_in_the_descriptor_is_marked_at_its_line(engineer: Visitor, workspace: Path) -> None:
    """Whoever forgets a quotation mark must not have to guess where."""
    folder = workspace / "digital_twins/slip"
    write_as_owner(folder / "lifecycle/execute", "#!/bin/sh\ntrue\n")
    (folder / "lifecycle/execute").chmod(0o755)
    write_as_owner(folder / "twin.yaml", "title: Slip\nparameters:\n  k: {type: rael, default: 1}\n")
    page = engineer.open("/app/digitaltwins/slip/create")
    expect(page.locator('[data-panel="configuration"]')).to_contain_text("Line 3")
    page.goto("/app/digitaltwins/slip/execute")
    expect(page.locator(".tw-start")).to_be_visible()
    page.locator(".tw-start").click()
    expect(page.get_by_text("twin.yaml").first).to_be_visible()
    page.close()


def test_values_come_from_a_form_that_refuses_what_cannot_be(engineer: Visitor, tank: str, shot: Shot) -> None:
    """The form knows units and ranges; the run has what was typed, and keeps it."""
    page = engineer.open(f"/app/digitaltwins/{tank}/execute")
    page.locator("#value-low").fill("99")
    page.locator(".tw-start").click()
    expect(page.locator("form.tw-execute")).to_contain_text(re.compile("at most 2|0 to 2"))
    page.locator("#value-low").fill("0.7")
    page.locator(".tw-start").click()
    expect(page.locator("#log-state")).to_have_text("succeeded", timeout=60_000)
    expect(page.locator("#log")).to_contain_text("6001 rows")
    shot(page, "twin-execute")
    page.reload()
    expect(page.locator("#value-low")).to_have_value("0.7")
    page.close()


def test_results_are_plotted_and_runs_compared(engineer: Visitor, tank: str, shot: Shot) -> None:
    """Two runs differ by one parameter, and the comparison says which."""
    page = engineer.open(f"/app/digitaltwins/{tank}/execute")
    page.locator("#value-low").fill("0.75")
    page.locator(".tw-start").click()
    expect(page.locator("#log-state")).to_have_text("succeeded", timeout=60_000)
    outputs(page, tank)
    plot = page.get_by_role("button", name="Plot").first
    if plot.is_visible() and not page.locator(".uplot canvas").first.is_visible():
        plot.click()
    expect(page.locator(".uplot canvas").first).to_be_visible(timeout=20_000)
    shot(page, "twin-analyze")
    page.goto(f"/app/digitaltwins/{tank}/analyze?part=runs")
    rows = page.locator('[data-panel="runs"] tbody tr').filter(has_text="execute")
    expect(rows).to_have_count(2)
    for row in rows.all():
        row.get_by_role("checkbox").check()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator("main")).to_contain_text("0.75")
    expect(page.locator("main")).to_contain_text("low")
    shot(page, "twin-compare")
    page.close()


def test_a_replay_gives_the_same_outputs_to_the_byte(engineer: Visitor, tank: str) -> None:
    """That is what records are for."""
    page = engineer.open(f"/app/digitaltwins/{tank}/analyze?part=runs")
    row = page.locator('[data-panel="runs"] tbody tr').filter(has_text="execute").first
    row.get_by_role("button", name="Replay").click()
    page.goto(f"/app/digitaltwins/{tank}/analyze?part=runs")
    verdict = page.locator('[data-panel="runs"] .tw-replay').first
    expect(verdict).to_have_text("replay: the same", timeout=60_000)
    page.close()


def test_a_range_gives_one_run_for_each_value_with_a_table_and_a_plot(
    engineer: Visitor, tank: str, workspace: Path, shot: Shot
) -> None:
    """Many runs side by side, none overwriting another."""
    page = engineer.open(f"/app/digitaltwins/{tank}/execute")
    page.locator("#value-fault_offset").fill("0:0.3:0.1")
    expect(page.locator(".tw-start")).to_have_text("Start 4 runs")
    page.locator(".tw-start").click()
    sweep = page.locator('[data-panel="sweep"]')
    expect(sweep.locator(".tw-table-box tbody tr")).to_have_count(4, timeout=30_000)
    expect(sweep).to_contain_text("4 of 4 runs ended", timeout=90_000)
    expect(sweep).not_to_contain_text("failed")
    wait_until(
        lambda: len(list((workspace / "data" / NAME / "sweeps").glob("*/*/outputs.csv"))) == 4, 90, "four results"
    )
    shot(page, "twin-sweep")
    page.close()


def test_snapshots_and_versions_are_restored_and_taken_back(engineer: Visitor, tank: str, workspace: Path) -> None:
    """What destroys can be undone."""
    page = engineer.open(f"/app/digitaltwins/{tank}/analyze?part=snapshots")
    page.get_by_role("button", name="Save a snapshot").click()
    page.get_by_role("dialog").get_by_label("Name").fill("good")
    page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()
    expect(page.locator('[data-panel="snapshots"]')).to_contain_text("good")
    results = workspace / "data" / NAME / "outputs.csv"
    kept = results.read_bytes()
    results.unlink()
    page.get_by_role("button", name="Restore good").click()
    page.get_by_role("dialog").get_by_role("button", name="Restore").click()
    wait_until(lambda: results.exists() and results.read_bytes() == kept, 30, "the results of the snapshot")
    page.goto(f"/app/digitaltwins/{tank}/analyze?part=versions")
    page.locator("#default-high").fill("1.3")
    page.get_by_role("button", name="Evolve", exact=True).click()
    descriptor = workspace / "digital_twins" / NAME / "twin.yaml"
    wait_until(lambda: "default: 1.3" in descriptor.read_text(), 30, "the new default")
    page.get_by_role("button", name="Take back version 1").click()
    page.get_by_role("dialog").get_by_role("button", name="Take back").click()
    wait_until(lambda: "default: 1.2" in descriptor.read_text(), 30, "the old default")
    page.close()


def test_the_log_goes_on_where_it_was_after_a_lost_connection(engineer: Visitor, workspace: Path) -> None:
    """Trains have tunnels: no line is lost, none comes twice."""
    folder = workspace / "digital_twins/counter"
    write_as_owner(
        folder / "lifecycle/execute",
        "#!/bin/sh\ni=0; while [ $i -lt 60 ]; do echo line-$i-; i=$((i+1)); sleep 0.2; done\n",
    )
    (folder / "lifecycle/execute").chmod(0o755)
    page = engineer.open("/app/digitaltwins/counter/execute")
    page.locator(".tw-start").click()
    expect(page.locator("#log")).to_contain_text("line-5-")
    page.context.set_offline(True)
    expect(page.get_by_text(re.compile("reconnecting", re.IGNORECASE)).first).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator("#log-state")).to_have_text("succeeded", timeout=60_000)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").first.click()
    lines = Path(download.value.path()).read_text().split()
    assert lines == [f"line-{number}-" for number in range(60)]
    page.close()
