"""The operator's words for connectors are checked before anything runs."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from realtime.service.connectors.access import read_access
from realtime.service.connectors.connector import PeerTrouble
from realtime.service.connectors.part import KINDS, make_peer
from twinhub.settings.connectors import SCHEMES, Connector, hosts

GOOD: dict[str, dict[str, Any]] = {
    "mqtt": {"url": "mqtts://h", "source": "a/+", "instance": "topic:2"},
    "nats": {"url": "nats://h:1,i:2", "source": "a.>", "instance": "header:x", "stream": "S"},
    "amqp": {"url": "amqp://h/vhost", "source": "q", "instance": "field:device.id", "message": "field:data"},
    "kafka": {"url": "kafka://h:9092,[::1]:9093", "source": "t", "instance": "key"},
}


def connector(kind: str, **given: Any) -> Connector:
    """Make one of a kind."""
    return Connector(**{"kind": kind, "owner": "marie", "model": "Pump", **GOOD[kind], **given})


@pytest.mark.parametrize("kind", GOOD)
def test_each_kind_can_be_made_from_its_settings(kind: str, tmp_path: Path) -> None:
    """A kind that the file may name and nobody reads would be found by the operator."""
    assert set(KINDS) == set(SCHEMES)
    peer = make_peer("plant", connector(kind), tmp_path)
    assert peer.promise in ("exactly once", "at least once")


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        ("mqtt", {"url": "http://h"}, "mqtt://HOST:PORT or mqtts://HOST:PORT"),
        ("mqtt", {"url": "mqtt://user:hush@h"}, "user and password_file"),
        ("mqtt", {"url": "mqtt://h:99999"}, "port that does not exist"),
        ("mqtt", {"url": "mqtt://"}, "allowed"),
        ("mqtt", {"instance": "key"}, "for kafka"),
        ("mqtt", {"instance": "header:x"}, "not for mqtt"),
        ("mqtt", {"instance": "topic:0"}, "no place"),
        ("mqtt", {"message": "all"}, "payload, field:NAME"),
        ("mqtt", {"stream": "S"}, "for nats"),
        ("mqtt", {"password_file": "x"}, "without a user"),
        ("mqtt", {"password_file": "../x", "user": "u"}, "pattern"),
        ("kafka", {"model": "9"}, "pattern"),
    ],
)
def test_what_cannot_be_is_refused_in_words_and_without_secrets(kind: str, given: dict[str, Any], words: str) -> None:
    """The words go to a terminal that others may see."""
    with pytest.raises(ValidationError, match=words) as caught:
        connector(kind, **given)
    assert "hush" not in caught.value.errors()[0]["msg"]


def test_addresses_may_be_several() -> None:
    """A cluster is reached while one of its servers is away."""
    assert hosts("kafka://h:1,[::1]:2,i", 9) == [("h", 1), ("::1", 2), ("i", 9)]


def test_a_password_is_read_from_a_file_of_mode_0600_only(tmp_path: Path) -> None:
    """A secret that other accounts can read is none."""
    settings = connector("mqtt", url="mqtt://h", user="u", password_file="broker")
    (tmp_path / "broker").write_text("hush\n")
    (tmp_path / "broker").chmod(0o644)
    with pytest.raises(PeerTrouble, match="broker") as caught:
        read_access(settings, tmp_path)
    assert "hush" not in str(caught.value)
    (tmp_path / "broker").chmod(0o600)
    access = read_access(settings, tmp_path)
    assert access.password == "hush"
    assert "hush" not in repr(access)


def test_a_missing_file_of_authorities_is_said(tmp_path: Path) -> None:
    """Otherwise it would be tried for ever with no word why."""
    with pytest.raises(PeerTrouble, match="nowhere"):
        read_access(connector("mqtt", authority_file="/nowhere"), tmp_path)
