"""Devices' MQTT put together with the service: their keys, the intake, and models' replies."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager

from realtime.errors import RealtimeError
from realtime.outputs import Reply
from realtime.service.devices import Devices
from realtime.service.errors import SpaceMissing
from realtime.service.intake import Intake
from realtime.service.mqtt.listener import Listener
from realtime.service.mqtt.session import Device
from realtime.service.mqtt.shared import Deeds, MqttSettings
from realtime.service.replies import Replies
from realtime.service.spaces import Space, Spaces
from realtime.wire import LONGEST_INSTANCE, MODEL_NAME


class Mqtt:
    """A part that runs in the background of the service."""

    def __init__(
        self, settings: MqttSettings, *, spaces: Spaces, intake: Intake, replies: Replies, devices: Devices
    ) -> None:
        self._spaces, self._intake, self._replies, self._devices = spaces, intake, replies, devices
        self._places: dict[str, Space] = {}
        self.listener = Listener(settings, Deeds(self._authenticate, self._take, self._listen))

    async def run(self) -> None:
        """Listen until cancelled."""
        await self.listener.run()

    def status(self) -> dict[str, int]:
        """Give figures for pages."""
        return self.listener.status()

    def disconnect(self, owner: str, model: str = "", instance: str | None = None) -> int:
        """End the connections of a device whose key was renewed or revoked, or of a whole model or owner."""
        return self.listener.disconnect(owner, model, instance)

    async def _authenticate(self, user: str, key: str) -> Device | None:
        """User names are OWNER/MODEL/INSTANCE, passwords the device's key."""
        owner, _, rest = user.partition("/")
        model, _, instance = rest.partition("/")
        if not instance or len(instance) > LONGEST_INSTANCE or not MODEL_NAME.fullmatch(model):
            return None
        if any(sign in user for sign in "+#\0"):
            return None
        try:
            fits = await self._devices.verify(owner, model, instance, key)
            space = await self._spaces.find(owner) if fits else None
        except RealtimeError as error:
            if error.status == 404:  # who guesses learns nothing of what there is
                return None
            raise
        if space is None:
            return None
        self._places[owner] = space
        return Device(owner, model, instance)

    async def _take(self, device: Device, contents: Sequence[bytes]) -> None:
        await self._intake.accept(
            self._space(device), device.model, [(device.instance, content) for content in contents]
        )

    def _listen(self, device: Device) -> AbstractContextManager[asyncio.Queue[Reply]]:
        return self._replies.listen(self._space(device), device.model, device.instance)

    def _space(self, device: Device) -> Space:
        try:
            return self._places[device.owner]
        except KeyError:
            raise SpaceMissing(f"'{device.owner}' has no real-time twins.", "Sign in again.") from None
