"""Logs of all our processes, as people read them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from twinhub.operate.log_lines import BadMoment, parse_line, parse_since
from twinhub.operate.logs import Choice, NoSuchLog, log_names, tail
from twinhub.places import Places
from twinhub.settings import Settings

OURS = '{"time": "2026-11-21T14:00:00.000+00:00", "level": "warning", "part": "web", "message": "slow", "took_ms": 7}'
TRAEFIK = '{"level":"error","entryPointName":"public","time":"2026-11-21T14:00:01Z","message":"no route"}'
SUPERVISORD = "2026-11-21 14:00:02,123 INFO spawned: 'web' with pid 17"
ENGINE = 'time="2026-11-21T14:00:03.5Z" level=warning msg="it said \\"no\\"" id=7'


@pytest.mark.parametrize(
    ("raw", "level", "message"),
    [
        (OURS, "warning", "slow"),
        (TRAEFIK, "error", "no route"),
        (SUPERVISORD, "info", "spawned: 'web' with pid 17"),
        (ENGINE, "warning", 'it said \\"no\\" id=7'),
        ("Traceback (most recent call last):", "", ""),
        ('{"time": [], "level": {}', "", ""),
        ("[1, 2]", "", ""),
        ("{" * 100_000, "", ""),
    ],
)
def test_every_kind_of_line_is_read(raw: str, level: str, message: str) -> None:
    """Four programs write four ways; one command shows them all."""
    line = parse_line(raw)
    assert (line.level, line.message) == (level, message)
    assert line.raw == raw


def test_the_gateways_requests_are_one_short_line_each() -> None:
    """Method, path, status, who and how long: what one looks for."""
    raw = (
        '{"ClientHost":"10.0.0.1","DownstreamStatus":404,"Duration":1500000,"RequestMethod":"GET",'
        '"RequestPath":"/lib/x","time":"2026-11-21T14:00:00Z","downstream_X-Request-Id":"0123456789abcdef"}'
    )
    text = parse_line(raw).as_text()
    assert "WARNING GET /lib/x 404" in text
    assert text.endswith("from=10.0.0.1 took_ms=1.5 request=0123456789abcdef")


def test_nothing_in_a_line_can_move_the_cursor() -> None:
    """A log is read in root's terminal."""
    hostile = '{"time": "2026-11-21T14:00:00Z", "level": "info", "message": "\\u001b[2J\\u009b31m\\n\\rroot#"}'
    for raw in (hostile, "\x1b]0;title\x07plain"):
        assert parse_line(raw).as_text().isprintable()


def test_lines_are_chosen_by_time_weight_and_request(tmp_path: Path) -> None:
    """Ten thousand lines of info hide the one error."""
    places = Places(tmp_path, Settings())
    places.log.mkdir()
    (places.log / "web.log.1").write_text(OURS.replace("slow", "older") + "\n")
    (places.log / "web.log").write_text(f"{OURS}\n{TRAEFIK}\nraw\n")
    assert [line.message for line in tail(places, "web", 10)] == ["older", "slow", "no route", ""]
    assert [line.message for line in tail(places, "web", 10, Choice(level="error"))] == ["no route"]
    after = datetime(2026, 11, 21, 14, 0, 1, tzinfo=UTC)
    assert [line.message for line in tail(places, "web", 10, Choice(since=after))] == ["no route"]


def test_a_log_elsewhere_is_never_shown(tmp_path: Path) -> None:
    """A part is a name from a list, not a path."""
    places = Places(tmp_path, Settings())
    places.log.mkdir()
    assert log_names(places) == []
    with pytest.raises(NoSuchLog):
        tail(places, "../twinhub", 10)


def test_moments_are_written_as_people_do() -> None:
    """'Since when' is asked at three in the morning."""
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert parse_since("10m", now) == datetime(2026, 11, 21, 11, 50, tzinfo=UTC)
    assert parse_since("3 d", now) == datetime(2026, 11, 18, 12, tzinfo=UTC)
    assert parse_since("2026-11-21T10:00:00Z", now) == datetime(2026, 11, 21, 10, tzinfo=UTC)
    with pytest.raises(BadMoment, match="yesterday"):
        parse_since("yesterday", now)
