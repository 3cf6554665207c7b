"""Why a workspace did not start, in words a person can act on."""

from __future__ import annotations

import html
from dataclasses import dataclass

import docker.errors
import requests
from jupyterhub.spawner import SpawnException

from twinhub.errors import PublicError


@dataclass(frozen=True)
class Failure:
    """What happened, what to do, and a stable word for logs and metrics."""

    reason: str
    what: str
    fix: str
    status: int = 503

    def exception(self) -> SpawnException:
        """Give the exception that the hub shows on the page, without a traceback in its log."""
        text = f"{self.what} {self.fix}"
        shown = f"<strong>{html.escape(self.what)}</strong><br>{html.escape(self.fix)}"
        error = SpawnException(text, reason=self.reason, message_html=shown, status_code=self.status)
        # The progress events of the spawn page read these two.
        error.jupyterhub_message = text
        error.jupyterhub_html_message = shown
        return error


class CannotStart(Exception):
    """A workspace does not start, for a reason that its owner is told."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.what} {failure.fix}")
        self.failure = failure


def explain_refusal(error: PublicError) -> Failure:
    """Turn a refusal of ours into a failure of a start."""
    return Failure(error.code, error.what, error.fix, error.status)


ENGINE_SILENT = Failure(
    "engine_silent",
    "The container engine does not answer.",
    "Try again in a minute. If it stays so, an administrator runs 'twinhub doctor' on the server.",
)


DISK_FULL = Failure(
    "disk_full",
    "The server's disk is full, so the workspace cannot be made.",
    "Delete what you do not need on the Library page, or ask an administrator to make room.",
)


def explain_engine_error(error: Exception, image: str) -> Failure:
    """Put an error of the container engine into words."""
    if isinstance(error, docker.errors.ImageNotFound):
        return _image_missing(image)
    if not isinstance(error, docker.errors.APIError):
        return ENGINE_SILENT
    text = str(error.explanation or error)
    if "no space left" in text.lower() or "disk quota exceeded" in text.lower():
        return DISK_FULL
    if "No such image" in text:
        return _image_missing(image)
    if "network" in text and "not found" in text:
        return Failure(
            "network_missing",
            "The network of the workspaces is missing on the server.",
            "An administrator runs 'twinhub up' on the server; it makes the network again.",
        )
    return Failure(
        "engine_refused",
        f"The container engine refused to start the workspace: {text[:300]}",
        "An administrator finds details with 'twinhub logs hub' and 'twinhub doctor' on the server.",
    )


def _image_missing(image: str) -> Failure:
    return Failure(
        "image_missing",
        f"The workspace image '{image}' is not on the server.",
        "An administrator runs 'twinhub up' on the server; it builds the image again.",
    )


ANOTHER_INSTALLATION = Failure(
    "name_taken",
    "Another installation on this machine has a container of the same name.",
    "An administrator renames one of the two installations, or the account.",
    409,
)

NEVER_ANSWERED = Failure(
    "no_answer",
    "The workspace's container runs, but its Jupyter server did not answer in time.",
    "Start it again. If the server is busy it may need more time: an administrator can raise "
    "'workspaces.start_timeout_s'.",
)

ENGINE_ERRORS = (docker.errors.DockerException, requests.exceptions.RequestException)
