"""The audit log: one line per deed, whole, bounded, and never lost by what was there before."""

import json
from pathlib import Path

import pytest

from twinhub.audit import Deed, audit_file, record
from twinhub.operate.audits import Question, read_deeds
from twinhub.operate.monitor.rotation import rotate_audit
from twinhub.places import Places
from twinhub.settings import Settings


@pytest.fixture
def places(tmp_path: Path) -> Places:
    for folder in ("hub", "services", "root"):
        (tmp_path / "audit" / folder).mkdir(parents=True)
    return Places(tmp_path, Settings())


def test_deeds_of_all_parts_are_read_as_one(places: Places) -> None:
    """Who looks into what happened asks once, not each part."""
    record(places, "hub", Deed("ada", "sign_in", address="10.0.0.1"))
    record(places, "web", Deed("root", "admin.visit"))
    record(places, "operator", Deed("operator:root", "command", "backup"))
    (places.library / "audit").mkdir(parents=True)
    (places.library / "audit" / "ada.jsonl").write_text(
        json.dumps({"time": 1, "user": "ada", "action": "delete", "path": "ada/data/a.csv"}) + "\n"
    )
    found = [(row["user"], row["action"], row.get("about", "")) for row in read_deeds(places, Question(), 10)]
    assert found == [
        ("ada", "delete", "ada/data/a.csv"),
        ("ada", "sign_in", ""),
        ("root", "admin.visit", ""),
        ("operator:root", "command", "backup"),
    ]


def test_one_persons_deeds_and_what_was_done_to_them(places: Places) -> None:
    """'Why is my token gone' is answered by what others did."""
    record(places, "hub", Deed("root", "token.revoked", "ada"))
    record(places, "hub", Deed("ada", "sign_in", ok=False))
    record(places, "hub", Deed("eve", "sign_in"))
    assert [row["action"] for row in read_deeds(places, Question(user="ada"), 10)] == ["token.revoked", "sign_in"]
    assert [row["user"] for row in read_deeds(places, Question(refused=True), 10)] == ["ada"]


def test_a_torn_line_costs_itself_only(places: Places) -> None:
    """A disk that was full for a moment must not hide what came after."""
    audit_file(places, "hub").write_bytes(b'{"time": 1, "user": "ada", "act')
    record(places, "hub", Deed("eve", "sign_in"))
    assert [row["user"] for row in read_deeds(places, Question(), 10)] == ["eve"]


def test_what_people_send_is_cut_and_stays_in_its_line(places: Places) -> None:
    """A name of a megabyte with line breaks is one short line."""
    record(places, "hub", Deed("x\ny" * 100_000, "sign_in", "z" * 100_000))
    written = audit_file(places, "hub").read_text()
    assert written.count("\n") == 1
    assert len(written) < 2000


def test_a_link_in_place_of_the_file_is_never_followed(places: Places, tmp_path: Path) -> None:
    """A part that was broken into must not have root write elsewhere."""
    (tmp_path / "elsewhere").touch()
    audit_file(places, "web").symlink_to(tmp_path / "elsewhere")
    record(places, "web", Deed("ada", "admin.visit"))
    assert (tmp_path / "elsewhere").read_text() == ""


def test_what_is_put_aside_is_still_found(places: Places) -> None:
    """An audit log that forgets is none."""
    for number in range(50):
        record(places, "hub", Deed(f"user{number}", "sign_in"))
    rotate_audit(places, 1000, 0.0)
    record(places, "hub", Deed("later", "sign_in"))
    rotate_audit(places, 1_000_000, 0.0)
    assert len(list((places.audit / "archive").iterdir())) == 1
    users = [row["user"] for row in read_deeds(places, Question(), 1000)]
    assert users == [*(f"user{number}" for number in range(50)), "later"]
