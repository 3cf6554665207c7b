"""Why a workspace did not start, or died, in words a person can act on."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

import docker.errors
import requests
from jupyterhub.spawner import SpawnException


@dataclass(frozen=True)
class Failure:
    """What happened, what to do, and a stable word for logs and metrics."""

    reason: str
    what: str
    fix: str

    def exception(self) -> SpawnException:
        """Give the exception that the hub shows on the page, without a traceback in its log."""
        text = f"{self.what} {self.fix}"
        shown = f"<strong>{html.escape(self.what)}</strong><br>{html.escape(self.fix)}"
        error = SpawnException(text, reason=self.reason, message_html=shown, status_code=503)
        # The progress events of the spawn page read these two.
        error.jupyterhub_message = text
        error.jupyterhub_html_message = shown
        return error


ENGINE_SILENT = Failure(
    "engine_silent",
    "The container engine does not answer.",
    "Try again in a minute. If it stays so, an administrator runs 'twinhub doctor' on the server.",
)


def explain_engine_error(error: Exception, image: str) -> Failure:
    """Put an error of the container engine into words."""
    if isinstance(error, docker.errors.ImageNotFound):
        return _image_missing(image)
    if not isinstance(error, docker.errors.APIError):
        return ENGINE_SILENT
    text = str(error.explanation or error)
    if "No such image" in text:
        return _image_missing(image)
    if "no space left" in text:
        return Failure(
            "disk_full",
            "The server's disk is full, so the workspace cannot be made.",
            "Delete what you do not need on the Library page, or ask an administrator to make room.",
        )
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


def explain_exit(state: dict[str, Any], log_tail: str, memory: str) -> Failure:
    """Put the end of a container that should be running into words.

    `state` is Docker's `State` of an inspected container.
    """
    if state.get("OOMKilled"):
        return Failure(
            "out_of_memory",
            f"The workspace used more than its {memory} of memory and was ended.",
            "Start it again and close notebooks you do not need, or ask an administrator for more memory.",
        )
    last = " ".join(log_tail.split())[-300:] or "nothing"
    return Failure(
        "exited",
        f"The workspace ended at once with exit status {state.get('ExitCode')}. It said last: {last}",
        "Start it again; if it ends again, choose 'Fresh container' on the Workbench page. Your files stay.",
    )


NEVER_ANSWERED = Failure(
    "no_answer",
    "The workspace's container runs, but its Jupyter server did not answer in time.",
    "Start it again. If the server is busy it may need more time: an administrator can raise "
    "'workspaces.start_timeout_s'.",
)

ENGINE_ERRORS = (docker.errors.DockerException, requests.exceptions.RequestException)
