"""Figures of every process at one address, for administrators and for Prometheus."""

import os
import signal

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.installation import Installation, wait_until
from tests.support.people import Person


@pytest.fixture
def admin(installation: Installation):
    """The administrator."""
    person = Person(installation, "admin", installation.admin_password)
    person.sign_in()
    yield person
    person.http.close()


def figures(admin: Person) -> dict[tuple[str, str], float]:
    """Give each figure that has a part and nothing else, by name and part."""
    families = text_string_to_metric_families(admin.ask("GET", "/app/metrics").text)
    samples = [sample for family in families for sample in family.samples]
    return {(one.name, one.labels["part"]): one.value for one in samples if set(one.labels) == {"part"}}


def test_every_part_has_figures_in_one_valid_answer(admin: Person, marie: Person) -> None:
    """Prometheus drops a whole answer for one mistake in it."""
    found = figures(admin)
    for part in ("gateway", "hub", "libms", "web", "monitor"):
        assert found["twinhub_part_up", part] == 1, part
        assert found["twinhub_part_memory_bytes", part] > 1_000_000
    for part in ("gateway", "hub", "libms", "web", "watch", "engine-gate", "upkeep"):
        assert found["process_resident_memory_bytes", part] > 1_000_000


def test_figures_name_nobody(admin: Person, marie: Person) -> None:
    """Each person in a label is a series that never goes away, and a leak."""
    marie.ask("GET", "/lib/files/marie")
    marie.ask("GET", "/user/marie/api/status")
    assert "marie" not in admin.ask("GET", "/app/metrics").text


def test_a_token_needs_the_scope_for_it(admin: Person, marie: Person, installation: Installation) -> None:
    """A token for Prometheus should do nothing else, and others' tokens not this."""
    headers = {"Authorization": f"token {admin.token}"}
    body = {"note": "prometheus", "scopes": ["read:metrics"], "expires_in": 600}
    made = admin.ask("POST", "/hub/api/users/admin/tokens", json=body, headers=headers)
    narrow = Person(installation, "admin", "", token=made.json()["token"])
    assert narrow.ask("GET", "/app/metrics").status_code == 200
    assert narrow.ask("GET", "/lib/files").status_code in (401, 403)
    assert marie.ask("GET", "/app/metrics").status_code == 403
    assert marie.ask("GET", "/app/api/admin/state").status_code == 403
    narrow.http.close()


def test_the_gateway_leads_nobody_to_a_parts_own_figures(installation: Installation, marie: Person) -> None:
    """They are asked on loopback, without a token."""
    for path in ("/metrics", "/lib/metrics", "/app/../metrics", "/hub/metrics"):
        answer = marie.ask("GET", path)
        assert "process_resident_memory_bytes" not in answer.text, path


def test_a_part_that_was_killed_is_seen_as_restarted(installation: Installation, admin: Person) -> None:
    """What comes back by itself must still be noticed."""
    before = admin.ask("GET", "/app/api/admin/state").json()
    part = next(part for part in before["parts"] if part["name"] == "libms")
    os.kill(part["pid"], signal.SIGKILL)

    def noticed() -> bool:
        now = admin.ask("GET", "/app/api/admin/state").json()
        return any(one["name"] == "libms" and one["restarts"] > part["restarts"] for one in now["parts"])

    wait_until(noticed, 60, "the restart on the administration page")
    wait_until(lambda: library_answers(admin), 30, "the library")


def library_answers(admin: Person) -> bool:
    return admin.ask("GET", "/lib/files").status_code == 200
