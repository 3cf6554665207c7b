"""Accounts for a scale test: made before it, gone with all they left after it."""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

import docker
import docker.errors

from hub.accounts import AccountError
from twinhub.errors import PublicError
from twinhub.operate import accounts
from twinhub.operate.report import Report
from twinhub.places import Places

PREFIX: Final = "scaletest-"
LONGEST_WAIT_S: Final = 60.0
PAUSE_S: Final = 0.5
NAME: Final = re.compile(r"scaletest-[0-9]{4}")


def make_people(places: Places, count: int, report: Report) -> dict[str, str]:
    """Make accounts; give their passwords by name."""
    made = {}
    for number in range(1, count + 1):
        name = f"{PREFIX}{number:04d}"
        made[name] = secrets.token_urlsafe(16)
        accounts.act(places, "add", username=name, password=made[name], admin="")
        if number % 10 == 0:
            report.detail(f"{number} of {count} accounts")
    return made


def left_over(places: Places) -> list[str]:
    """Name the accounts and folders of scale tests that are there."""
    found = {*_names(places, "accounts"), *_names(places, "removed")}
    for folder in (places.files, places.homes):
        found |= {entry.name for entry in folder.iterdir()}
    return sorted(name for name in found if NAME.fullmatch(name))


def remove_people(places: Places, names: Iterable[str], report: Report) -> list[str]:
    """Remove accounts, containers and files; give in words what could not be removed."""
    problems = []
    client = docker.from_env()
    try:
        for name in names:
            try:
                _remove(places, name, client)
            except (PublicError, docker.errors.DockerException, OSError) as error:
                problems.append(f"{name}: {error}")
    finally:
        client.close()
    for problem in problems:
        report.detail(problem)
    return problems


def _remove(places: Places, name: str, client: docker.DockerClient) -> None:
    if not NAME.fullmatch(name):
        raise ValueError(name)
    # A start that is under way ends with its container; an account is not removed before.
    _remove_container(places, name, client)
    if name in _names(places, "accounts"):
        _remove_account(places, name)
    if name in _names(places, "removed"):
        accounts.purge(places, name)
    _remove_container(places, name, client)
    for folder in (places.files, places.homes, places.trash):
        shutil.rmtree(folder / name, ignore_errors=True)
    (places.library / "audit" / f"{name}.jsonl").unlink(missing_ok=True)


def _remove_container(places: Places, name: str, client: docker.DockerClient) -> None:
    with suppress(docker.errors.NotFound):
        client.containers.get(f"{places.settings.name}-workspace-{name}").remove(force=True, v=True)


def _remove_account(places: Places, name: str) -> None:
    """Remove an account; wait where its workspace starts or stops at the moment. Raises AccountError."""
    deadline = time.monotonic() + LONGEST_WAIT_S
    while True:
        try:
            accounts.act(places, "remove", username=name)
            return
        except AccountError:
            if time.monotonic() > deadline:
                raise
        time.sleep(PAUSE_S)


def _names(places: Places, kind: str) -> set[str]:
    return {str(account["name"]) for account in accounts.list_everything(places)[kind]}
