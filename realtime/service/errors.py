"""What the service refuses, in words for people; workers and models have theirs in realtime.errors."""

from __future__ import annotations

from realtime.errors import RealtimeError


class ModelMissing(RealtimeError):
    """There is no model of that name."""

    code = "model_missing"
    status = 404


class InstanceMissing(RealtimeError):
    """There is no instance of that id."""

    code = "instance_missing"
    status = 404


class VersionMissing(RealtimeError):
    """There is no such version of the model."""

    code = "version_missing"
    status = 404


class SpaceMissing(RealtimeError):
    """Nobody of that name has real-time twins."""

    code = "space_missing"
    status = 404


class ModelDisabled(RealtimeError):
    """The model takes no messages as it is switched off, or removed."""

    code = "model_disabled"
    status = 409


class MessageTooLarge(RealtimeError):
    """A message, or what was sent together, is larger than allowed."""

    code = "message_too_large"
    status = 413


class BadRequest(RealtimeError):
    """A request cannot be understood."""

    code = "realtime_request"
    status = 400


class StoreFull(RealtimeError):
    """What an owner's messages may take on disk is used up."""

    code = "store_full"
    status = 507


class BrokerAway(RealtimeError):
    """The broker does not answer, so nothing can be kept just now."""

    code = "broker_away"
    status = 503


class Busy(RealtimeError):
    """More waits for the disk than may wait."""

    code = "realtime_busy"
    status = 503


class HostAway(RealtimeError):
    """Nothing that runs models answers in the owner's workspace."""

    code = "host_away"
    status = 503


class DeviceRefused(RealtimeError):
    """A device's key does not fit, or it speaks for another one."""

    code = "device_refused"
    status = 401


class BrokerUnsafe(RealtimeError):
    """The broker would acknowledge what is not on disk."""

    code = "broker_unsafe"
    status = 500
