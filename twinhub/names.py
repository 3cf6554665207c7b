"""Names and addresses that several rooms must spell alike."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Category(StrEnum):
    """The five kinds of reusable assets, each a folder of every owner."""

    DATA = "data"
    MODELS = "models"
    FUNCTIONS = "functions"
    TOOLS = "tools"
    DIGITAL_TWINS = "digital_twins"


COMMON: Final = "common"
"""The owner whose folder everybody shares; no account may have this name."""

USERNAME_PATTERN: Final = r"^[a-z][a-z0-9._-]{0,30}[a-z0-9]$"
"""Account names are folder, container and address names too, so this is a subset that is legal in all of them."""


SERVER_PATTERN: Final = r"^[a-z][a-z0-9-]{0,20}$"
"""Names of the further workspaces that a person may have besides their own, whose name is empty."""


def workspace_name(owner: str, server: str = "") -> str:
    """Name a workspace's home folder: injective, as neither account nor server names hold capitals."""
    return f"{owner}.SERVER.{server}" if server else owner


def container_name(installation: str, owner: str, server: str = "") -> str:
    """Name a workspace's container."""
    return f"{installation}-workspace-{workspace_name(owner, server)}"


def server_volume(installation: str, image_id: str) -> str:
    """Name the volume that holds the Jupyter server's own environment, as the image brings it."""
    return f"{installation}-server-{image_id.removeprefix('sha256:')[:16]}"


SERVER_ENVIRONMENT: Final = "/opt/jupyter"
"""Where workspaces have it, read-only."""

INSTALLATION_LABEL: Final = "twinhub.installation"
"""On every container, network and volume, so that an installation finds and removes just its own."""
OWNER_LABEL: Final = "twinhub.owner"
SERVER_LABEL: Final = "twinhub.server"
"""Empty for a person's own workspace."""
PROFILE_LABEL: Final = "twinhub.profile"
VARIANT_LABEL: Final = "twinhub.variant"
PLAN_LABEL: Final = "twinhub.plan"
"""Digest of everything that a container was made from."""

SCOPE_LIBRARY_READ: Final = "custom:library:read"
SCOPE_LIBRARY_WRITE: Final = "custom:library:write"

SCOPE_REALTIME_READ: Final = "custom:realtime:read"
SCOPE_REALTIME_SEND: Final = "custom:realtime:send"
"""Send messages to models, as a program that stands for devices does; nothing else."""
SCOPE_REALTIME_WRITE: Final = "custom:realtime:write"

REALTIME_SERVER: Final = "realtime"
"""The named workspace in which a person's models run."""

SCOPE_METRICS: Final = "read:metrics"
"""The hub's own; whoever has it, administrators and tokens they made for it, may look at the platform's figures."""

WEB_CLIENT_ID: Final = "service-twinhub-web"
"""OAuth client of the pages; JupyterHub demands the prefix."""

SIGN_IN_PATH: Final = "/app/signin"
SIGN_IN_CALLBACK_PATH: Final = "/app/signin/callback"
SIGN_OUT_PATH: Final = "/app/signout"
SESSION_COOKIE: Final = "twinhub-session"
SESSION_PATHS: Final = ("/app", "/lib", "/realtime")
"""Where browsers send the session. Never `/`: code in a workspace answers under /user/ on the same origin."""
WORKSPACE_COOKIE: Final = "twinhub-workspace"
WORKSPACE_COOKIE_PATH: Final = "/user/"
"""Whose browser it is, told to the gateway alone; it opens neither pages nor library."""

XSRF_HEADER: Final = "X-XSRFToken"

GATEWAY_SIGN_IN_PATH: Final = "/gateway/sign-in"
GATEWAY_REFUSAL_PATH: Final = "/gateway/refusal"
GATEWAY_OWNER_PATH: Final = "/gateway/owner"
"""What the gateway itself asks the pages; it passes nobody else's requests on to these."""
FORWARDED_USER: Final = "X-Forwarded-User"
FORWARDED_GROUPS: Final = "X-Forwarded-Groups"
"""How a server mounted under a path learns who asks."""
