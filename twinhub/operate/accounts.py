"""`twinhub user` and `twinhub service`: accounts, from the shell of the server, as the hub keeps them."""

from __future__ import annotations

from typing import Any

import httpx2

from hub.accounts import AccountError
from twinhub.errors import HubRefused, HubUnreachable
from twinhub.homes import list_homes
from twinhub.operate.health import address_of
from twinhub.places import Places
from twinhub.removal import remove_tree
from twinhub.secrets import read_secret


def list_everything(places: Places) -> dict[str, Any]:
    """Give accounts, service accounts, invitations and removed accounts."""
    found: dict[str, Any] = _ask(places, "GET").json()
    return found


def act(places: Places, action: str, **values: str) -> tuple[str, str]:
    """Have the hub do something to an account; give what happened, and a secret or link that is shown once."""
    answer = _ask(places, "POST", json={"action": action, **values}).json()
    return answer["words"], answer["secret"]


def purge(places: Places, name: str) -> str:
    """Delete the files of a removed account for good, and free its name."""
    removed = [account["name"] for account in list_everything(places)["removed"]]
    if name not in removed:
        raise AccountError(
            f"'{name[:40]}' is not a removed account.", "Remove it first: twinhub user remove NAME; it can be restored."
        )
    if places.settings.realtime.enabled and places.realtime.is_dir():
        _erase_twins(places, name)
    # Names are checked when accounts are made, so none of these leaves its folder.
    folders = (places.files / name, places.trash / name, places.uploads / name)
    stay = [folder for folder in (*folders, *list_homes(places, name)) if not remove_tree(folder)]
    if stay:
        raise AccountError(
            f"Some files of '{name}' could not be deleted, so the name stays taken.",
            "Run the command as the user who runs Twinhub, or as root; it goes on with what is left.",
        )
    return act(places, "forget", username=name)[0]


def _erase_twins(places: Places, name: str) -> None:
    """Have the service of real-time twins delete what the account left there; raises AccountError."""
    url = f"{places.inner_gateway_url}/realtime/{name}"
    token = read_secret(places.secrets / "operator")
    try:
        answer = httpx2.delete(url, timeout=120.0, trust_env=False, headers={"Authorization": f"token {token}"})
    except httpx2.HTTPError as error:
        raise HubUnreachable("Real-time twins do not answer.", "'twinhub status' shows what runs.") from error
    if answer.status_code not in (200, 204, 404):
        raise AccountError(
            f"The real-time twins of '{name}' could not be deleted ({answer.status_code}), so the name stays taken.",
            "'twinhub logs realtime' shows why; the command goes on with what is left.",
        )


def _ask(places: Places, method: str, *, json: Any = None) -> httpx2.Response:
    token = read_secret(places.secrets / "operator")
    url = address_of(places, "hub").removesuffix("/health") + "/api/twinhub/accounts"
    try:
        answer = httpx2.request(
            method, url, json=json, timeout=120.0, trust_env=False, headers={"Authorization": f"token {token}"}
        )
    except httpx2.HTTPError as error:
        raise HubUnreachable("The hub does not answer.", "'twinhub status' shows what runs.") from error
    if answer.status_code < 400:
        return answer
    try:
        reason = answer.json()["error"]
        raise AccountError(reason["what"], reason["fix"])
    except (ValueError, KeyError, TypeError) as error:
        raise HubRefused(f"The hub answered {answer.status_code}.", "'twinhub logs hub' shows why.") from error
