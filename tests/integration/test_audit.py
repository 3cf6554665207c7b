"""Who did what on the running platform can be asked afterwards."""

import json
import time
from typing import Any

import pytest

from tests.support.installation import Installation
from tests.support.people import Person


def deeds(installation: Installation, *words: str) -> list[dict[str, Any]]:
    done = installation.twinhub("audit", "--json", "-n", "1000", *words)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_sign_ins_tokens_and_workspaces_are_noted(installation: Installation, marie: Person) -> None:
    """After a theft of a password, the first question is what was done with it."""
    found = {(row["user"], row["action"], row["ok"]) for row in deeds(installation, "--user", "marie") if "ok" in row}
    assert {("marie", "sign_in", True), ("marie", "token.made", True), ("marie", "workspace.start", True)} <= found


@pytest.mark.parametrize(("typed", "noted"), [("marie", "marie"), ('ghost\n{"user": "root"}' + "x" * 5000, "-")])
def test_a_refused_sign_in_is_noted_with_the_account_it_was_for_and_nothing_else(
    installation: Installation, marie: Person, typed: str, noted: str
) -> None:
    """What is nobody's name may be a password in the wrong field; a forged line belongs into a log even less."""
    began = time.time()
    somebody = Person(installation, typed, "never-seen-again-1")
    with pytest.raises(AssertionError):
        somebody.sign_in()
    somebody.http.close()
    (row,) = [row for row in deeds(installation, "--refused", "--action", "sign_in") if row["time"] >= began]
    assert row["user"] == noted
    assert row["address"]
    logged = "".join(file.read_text(errors="replace") for file in installation.data_dir.glob("audit/*/*.jsonl"))
    logged += (installation.places.log / "hub.log").read_text(errors="replace")
    assert "never-seen-again-1" not in logged
    assert "ghost" not in logged


def test_commands_on_the_server_are_noted(installation: Installation, marie: Person) -> None:
    """Root can do everything, so what root did is worth most."""
    rows = [row for row in deeds(installation, "--action", "command") if row["user"].startswith("operator:")]
    assert any(row["about"].startswith("user ") and "marie" in row["about"] for row in rows)


def test_one_request_is_followed_from_its_answer_to_the_log(installation: Installation, marie: Person) -> None:
    """'It failed at ten past nine' becomes one line of one log."""
    answer = marie.ask("GET", "/hub/api/users/marie", headers={"X-Request-ID": "follow-me-0123456789"})
    assert answer.headers["x-request-id"] == "follow-me-0123456789"
    lines = installation.twinhub("logs", "hub", "--request", "follow-me-0123456789", "--json").stdout.splitlines()
    assert [json.loads(line)["path"] for line in lines] == ["/hub/api/users/marie"]
