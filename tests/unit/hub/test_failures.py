"""A workspace that does not start says why, in words with a remedy."""

import docker.errors
import pytest
import requests

from hub.failures import Failure, explain_engine_error, explain_exit


def api_error(text: str) -> docker.errors.APIError:
    return docker.errors.APIError("failed", response=None, explanation=text)


@pytest.mark.parametrize(
    ("error", "reason", "remedy"),
    [
        (docker.errors.ImageNotFound("gone"), "image_missing", "twinhub up"),
        (api_error("No such image: x"), "image_missing", "twinhub up"),
        (api_error("write /var/lib: no space left on device"), "disk_full", "Delete"),
        (api_error("network twinhub not found"), "network_missing", "twinhub up"),
        (api_error("something new"), "engine_refused", "twinhub logs"),
        (requests.exceptions.ConnectionError("refused"), "engine_silent", "twinhub doctor"),
    ],
)
def test_each_error_of_the_engine_has_its_own_words(error: Exception, reason: str, remedy: str) -> None:
    """The person at the spawn page must know whether to act or whom to ask."""
    failure = explain_engine_error(error, "image:latest")
    assert failure.reason == reason
    assert remedy in failure.fix


def test_out_of_memory_is_told_apart_from_an_ordinary_end() -> None:
    """Somebody whose data is too large must not look for a bug in their code."""
    assert explain_exit({"OOMKilled": True, "ExitCode": 137}, "", "2G").reason == "out_of_memory"
    ended = explain_exit({"OOMKilled": False, "ExitCode": 1}, "line one\nPermission denied\n", "2G")
    assert "Permission denied" in ended.what
    assert "status 1" in ended.what


def test_what_a_container_said_cannot_become_html() -> None:
    """The last words of a user's container are shown on the hub's page."""
    shown = Failure("exited", "<script>alert(1)</script>", "").exception().message_html
    assert "<script>" not in shown
