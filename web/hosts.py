"""Which host a person's workspace has, to those who reach it through the gateway."""

from __future__ import annotations

from collections.abc import Callable

WorkspaceHost = Callable[[str], str | None]
"""Gives the host of a person's workspace; None where all have the platform's own."""


def same_host(_: str) -> None:
    """Serve where workspaces have no hosts of their own."""
