"""Delete whole trees of strangers' making, as the whole platform does."""

from __future__ import annotations

from twinhub.removal import remove_tree

__all__ = ["remove_tree"]
