"""Log lines are JSON, bounded, and cannot be forged by what people send."""

import json
import logging
import sys

from twinhub.logging import JsonLines, fields, new_request_id, request_id


def line(message: str, *args: object, **options: object) -> str:
    record = logging.getLogger("web").makeRecord("web", logging.WARNING, "f.py", 1, message, args, None, **options)
    return JsonLines("web").format(record)


def test_a_name_with_line_breaks_stays_in_its_line() -> None:
    """Somebody who signs in as 'x\\n{"level":"info"…' must not write a line of their own (CVE-2026-54338)."""
    written = line("failed login of %s", 'x\n{"level": "info"}\r\x1b[2J\u2028\x9b31m')
    assert written.isascii()
    assert written.isprintable()
    assert json.loads(written)["message"].startswith("failed login of x\n")


def test_a_huge_value_is_cut() -> None:
    """A megabyte in a user name must not fill the disk."""
    assert len(line("%s", "x" * 1_000_000)) < 5000
    assert len(line("m", extra=fields(**{f"f{n}": "x" * 1_000_000 for n in range(100)}))) < 15_000


def test_fields_never_replace_what_the_line_says_of_itself() -> None:
    """Otherwise a field called 'level' could hide an error."""
    row = json.loads(line("m", extra=fields(level="debug", part="hub", owner="ada")))
    assert (row["level"], row["part"], row["owner"]) == ("warning", "web", "ada")


def test_a_wrong_format_string_costs_no_line() -> None:
    """A library's own mistake is still worth knowing."""
    assert "%d" in json.loads(line("%d things", "many"))["message"]


def test_a_traceback_is_part_of_the_line() -> None:
    """Readers of JSON lines see it with its message, or not at all."""
    try:
        raise ValueError("boom")
    except ValueError:
        record = logging.LogRecord("web", logging.ERROR, "f.py", 1, "failed", (), sys.exc_info())
    row = json.loads(JsonLines("web").format(record))
    assert "ValueError: boom" in row["traceback"]


def test_requests_keep_the_name_that_a_part_of_ours_gave_and_no_other() -> None:
    """A name is followed through all logs; one with a line break or a megabyte is no name."""
    assert new_request_id("5f2c61d0a9b34e77") == "5f2c61d0a9b34e77"
    for bad in (None, "", "short", "x" * 65, "with space 123", "line\nbreak12"):
        assert new_request_id(bad) != bad


def test_lines_carry_the_request_they_belong_to() -> None:
    """`twinhub logs --request` finds all that one click caused."""
    token = request_id.set("0123456789abcdef")
    try:
        assert json.loads(line("m"))["request"] == "0123456789abcdef"
    finally:
        request_id.reset(token)
