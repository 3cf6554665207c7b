"""Who may do what: the one place where the service decides it."""

from __future__ import annotations

from typing import Final, Literal

from starlette.requests import HTTPConnection

from realtime.service.devices import device_key
from realtime.service.errors import DeviceRefused, SpaceMissing
from realtime.service.spaces import Space, Spaces
from twinhub.errors import Forbidden, NotSignedIn
from twinhub.signin import User

Doing = Literal["read", "send", "write"]
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


async def space_of(request: HTTPConnection) -> Space:
    """Give the place of the owner whom the address names, to that person or an administrator.

    Raises NotSignedIn, Forbidden, SpaceMissing, BrokerAway.
    """
    return await _space_for(request, "read" if request.scope.get("method") in SAFE else "write")


async def _space_for(request: HTTPConnection, doing: Doing) -> Space:
    owner, user = request.path_params["owner"], person_of(request)
    allow(user, owner, doing)
    return await find_space(request, owner, user)


async def find_space(request: HTTPConnection, owner: str, user: User | None) -> Space:
    """Give an owner's place; a person's own is made when they first look at it."""
    spaces: Spaces = request.app.state.spaces
    space = await (spaces.open(owner) if user is not None and user.name == owner else spaces.find(owner))
    if space is None:
        raise SpaceMissing(f"'{owner[:100]}' has no real-time twins.", "Check the owner's name in the address.")
    return space


def person_of(request: HTTPConnection) -> User:
    """Give the person behind a request; raises NotSignedIn."""
    user = request.scope.get("state", {}).get("user")
    if not isinstance(user, User):
        raise NotSignedIn(
            "This address is for people and their programs.",
            "Send 'Authorization: token TOKEN' with a token from /app/tokens.",
        )
    return user


def allow(user: User, owner: str, doing: Doing) -> None:
    """Let owners and administrators pass, with tokens that are meant for it; raises Forbidden."""
    if user.name != owner and not user.admin:
        raise Forbidden(
            f"The real-time twins of '{owner[:100]}' are for that person only.",
            f"Your own are below /realtime/{user.name}.",
        )
    may = {"read": user.may_read_realtime, "send": user.may_send_realtime, "write": user.may_write_realtime}
    if not may[doing]:
        raise Forbidden(f"This token lacks the scope custom:realtime:{doing}.", "Make one that has it at /app/tokens.")


async def speaker_space(request: HTTPConnection, instance: str | None) -> Space:
    """Give the place of the address for sending messages: to its owner, or to the device of that id with its key.

    Raises as space_of, and DeviceRefused.
    """
    key = device_key(request)
    if key is None:
        return await _space_for(request, "send")
    owner, model = request.path_params["owner"], request.path_params["model"]
    space = await request.app.state.spaces.find(owner)
    devices = request.app.state.devices
    if space is None or instance is None or not await devices.verify(owner, model, instance, key):
        raise DeviceRefused(
            "This key is not the one of the device that the address names.",
            "A device sends its own key, to …/instances/ID/messages with its own ID; its owner can renew the key.",
        )
    found: Space = space
    return found
