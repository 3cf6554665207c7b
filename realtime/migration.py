"""States of one version of a model made states of another."""

from __future__ import annotations

from typing import Any

import msgspec

from realtime.errors import ModelRefused
from realtime.model import Model
from realtime.twin import Twin


def migrate(twins: list[Twin], model: Model) -> list[Twin]:
    """Give the same states as the model has them; raises ModelRefused where one does not fit, and changes none then.

    Fields that are new begin with their defaults, those that are gone are left out; a
    classmethod `migrate(state: dict) -> dict` of the model may do more.
    """
    change = getattr(model.kind, "migrate", None)
    found: list[Twin] = []
    for twin in twins:
        try:
            state: Any = msgspec.to_builtins(twin)
            if change is not None:
                state = change(state)
            # By bytes and not by objects, so that what migrates is exactly what a snapshot could have kept.
            found.append(msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=model.kind))
        except Exception as error:
            raise ModelRefused(
                f"A state that is there does not fit the new version of '{model.name}': {type(error).__name__}: {error}"[
                    :1000
                ],
                "Keep the types of fields, or write a classmethod migrate(state: dict) -> dict.",
            ) from error
    return found
