"""What somebody wishes for when they start a workspace: sent by anybody's program, so believed in nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from twinhub.errors import PublicError

KNOWN: Final = ("profile", "fresh")
LONGEST_NAME: Final = 64


class WishRefused(PublicError):
    """The options of a workspace's start cannot be used."""

    code = "wish_refused"
    status = 400


@dataclass(frozen=True)
class Wish:
    """The options of one start."""

    profile: str | None = None
    """None: the one of the last start."""
    fresh: bool = False
    """Whether to make a new container even where the old one would do."""


def read_wish(options: Any) -> Wish:
    """Read what came as `user_options`; raises WishRefused.

    What a container is made of (image, volumes, environment, …) is the
    operator's to decide: a key that is not ours is refused, not ignored, so
    that nobody believes it had an effect.
    """
    if not isinstance(options, Mapping):
        raise WishRefused("The options of a start are not names and values.", _fix())
    unknown = [str(key)[:LONGEST_NAME] for key in options if key not in KNOWN]
    if unknown:
        raise WishRefused(f"A workspace cannot be started with {unknown[0]!r}.", _fix())
    profile, fresh = options.get("profile"), options.get("fresh", False)
    if not isinstance(profile, str | None) or (profile is not None and len(profile) > LONGEST_NAME):
        raise WishRefused("The profile of a start is not a name.", _fix())
    if not isinstance(fresh, bool):
        raise WishRefused("'fresh' is neither true nor false.", _fix())
    return Wish(profile or None, fresh)


def read_form(form: Mapping[str, Any]) -> dict[str, Any]:
    """Give the options of a start that came with an address or a form: lists of texts.

    Nothing is dropped, so that read_wish refuses what is not ours.
    """
    options = {
        key: values[0] if isinstance(values, list) and len(values) == 1 else values for key, values in form.items()
    }
    if options.get("fresh") in ("1", "true", "on"):
        options["fresh"] = True
    return options


def _fix() -> str:
    return f"Leave out the options, or give only: {', '.join(KNOWN)}."
