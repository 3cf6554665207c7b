"""A workspace that does not start says why, in words with a remedy."""

import docker.errors
import pytest
import requests

from hub.failures import Failure, explain_engine_error


def api_error(text: str) -> docker.errors.APIError:
    return docker.errors.APIError("failed", response=None, explanation=text)


@pytest.mark.parametrize(
    ("error", "reason", "remedy"),
    [
        (docker.errors.ImageNotFound("gone"), "image_missing", "twinhub up"),
        (api_error("No such image: x"), "image_missing", "twinhub up"),
        (api_error("write /var/lib: no space left on device"), "disk_full", "Delete"),
        (api_error("Disk quota exceeded"), "disk_full", "Delete"),
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


def test_what_a_container_said_cannot_become_html() -> None:
    """The last words of a user's container are shown on the hub's page."""
    shown = Failure("exited", "<script>alert(1)</script>", "").exception().message_html
    assert "<script>" not in shown
