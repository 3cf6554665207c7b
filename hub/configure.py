"""Everything the hub is configured with, as one function of settings and places."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import Any, Final

from gateway import API_ENTRY_POINT, ENTRY_POINT
from hub import database, requests
from hub.authenticator import AccountAuthenticator
from hub.browsers import configure_browsers_side, page_policy
from hub.configure_provider import configure_provider
from hub.ends import read_end
from hub.named import named_limit
from hub.observing import observe
from hub.proxy import GatewayProxy
from hub.workspace import Workspace
from twinhub.names import (
    GATEWAY_OWNER_PATH,
    SCOPE_LIBRARY_READ,
    SCOPE_LIBRARY_WRITE,
    SCOPE_METRICS,
    SCOPE_REALTIME_READ,
    SCOPE_REALTIME_SEND,
    SCOPE_REALTIME_WRITE,
    SIGN_IN_CALLBACK_PATH,
    WEB_CLIENT_ID,
)
from twinhub.places import Places
from twinhub.secrets import read_secret

LONGEST_WAIT_S: Final = 900
"""How long a start may wait for its turn when very many come at once."""

SHARE: Final = Path(sys.prefix) / "share" / "jupyterhub"
PROXY_NAMES: Final = ("http_proxy", "https_proxy", "no_proxy")

CUSTOM_SCOPES: Final = {
    SCOPE_LIBRARY_READ: {"description": "Read assets in the library"},
    SCOPE_LIBRARY_WRITE: {
        "description": "Read and change assets in the library",
        "subscopes": [SCOPE_LIBRARY_READ],
    },
    SCOPE_REALTIME_READ: {"description": "Look at models of real-time twins, their instances and alerts"},
    SCOPE_REALTIME_SEND: {"description": "Send messages to models of real-time twins"},
    SCOPE_REALTIME_WRITE: {
        "description": "Deploy, change and use models of real-time twins",
        "subscopes": [SCOPE_REALTIME_READ, SCOPE_REALTIME_SEND],
    },
}

ROLES: Final[list[dict[str, Any]]] = [
    {
        "name": "user",
        "description": "What everybody may do with what is theirs",
        "scopes": ["self", SCOPE_LIBRARY_WRITE, SCOPE_REALTIME_WRITE, "access:services!service=twinhub-web"],
    },
    {
        "name": "watch",
        "description": "Stop idle workspaces",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["twinhub-watch"],
    },
    {
        "name": "realtime",
        "description": "Start the workspaces that people's models run in",
        "scopes": ["start:servers", "read:servers", "read:users:name"],
        "services": ["twinhub-realtime"],
    },
    {
        "name": "operator",
        "description": "The twinhub command of whoever runs the server",
        "scopes": ["admin:users", "admin:servers", "read:hub", "read:metrics", SCOPE_REALTIME_WRITE],
        "services": ["twinhub-operator"],
    },
]

WEB_SCOPES: Final = [
    SCOPE_LIBRARY_WRITE,
    SCOPE_REALTIME_WRITE,
    "access:servers!user",
    "servers!user",
    "read:users!user",
    SCOPE_METRICS,
]
"""All that a session of our pages can ever do in somebody's name."""

WORKSPACE_SCOPES: Final = ["access:servers!server", "users:activity!user", SCOPE_REALTIME_WRITE]
"""What the token can do that a workspace is started with: what the hub's own would, and the command `realtime`."""


def configure(c: Any, places: Places, *, hub_url: str, hub_url_inside: str, network: str) -> None:
    """Fill JupyterHub's configuration object `c`.

    `hub_url` is where the gateway and our services reach the hub, on loopback;
    `hub_url_inside` is where workspaces reach its API, on their bridge.
    """
    _configure_hub(c, places, hub_url)
    _configure_gateway(c, places)
    _configure_accounts(c, places)
    _configure_services(c, places)
    _configure_workspaces(c, places, network)
    c.Workspace.hub_connect_url = hub_url_inside


def _configure_hub(c: Any, places: Places, hub_url: str) -> None:
    c.JupyterHub.hub_bind_url = hub_url
    c.JupyterHub.hub_connect_url = hub_url
    c.JupyterHub.db_url = f"sqlite:///{places.hub / 'jupyterhub.sqlite'}"
    c.JupyterHub.db_kwargs = database.engine_arguments()
    database.ensure_patience()
    requests.ensure_strictness()
    c.JupyterHub.cookie_secret_file = str(places.secrets / "hub-cookie")
    c.JupyterHub.default_url = "/app/library"
    # Workspaces and routes outlive the hub, so that its restart disturbs nobody.
    c.JupyterHub.cleanup_servers = False
    c.JupyterHub.cleanup_proxy = False
    c.JupyterHub.implicit_spawn_seconds = 1
    c.JupyterHub.template_paths = [str(Path(__file__).parent / "templates")]
    c.JupyterHub.tornado_settings = {
        "slow_spawn_timeout": 0,  # the page with the steps comes at once
        "headers": {"Content-Security-Policy": page_policy(places)},
    }
    configure_browsers_side(c, places)
    observe(c, places)


def _configure_gateway(c: Any, places: Places) -> None:
    c.JupyterHub.proxy_class = GatewayProxy
    c.GatewayProxy.should_start = False
    c.GatewayProxy.dynamic_config_file = str(places.gateway / "dynamic" / "hub.yaml")
    c.GatewayProxy.gateway_group_id = places.gateway_user_id
    c.GatewayProxy.traefik_entrypoint = ENTRY_POINT
    c.GatewayProxy.traefik_api_entrypoint = API_ENTRY_POINT
    c.GatewayProxy.traefik_api_url = f"http://127.0.0.1:{places.gateway_api_port}"
    c.GatewayProxy.traefik_api_username = "hub"
    c.GatewayProxy.traefik_api_password = read_secret(places.secrets / "gateway-api")
    c.GatewayProxy.check_route_timeout = 30
    if not places.settings.gateway.subdomains:
        c.GatewayProxy.owner_question = f"{places.inner_gateway_url}{GATEWAY_OWNER_PATH}"


def _configure_accounts(c: Any, places: Places) -> None:
    accounts = places.settings.accounts
    c.JupyterHub.authenticator_class = AccountAuthenticator
    c.AccountAuthenticator.enable_signup = accounts.sign_up
    c.AccountAuthenticator.open_signup = False
    c.AccountAuthenticator.minimum_password_length = accounts.password_length
    c.AccountAuthenticator.allowed_failed_logins = accounts.failed_logins
    c.AccountAuthenticator.wait_s = accounts.wait_s
    # Who is admitted stands in the table of accounts; the hub's own list would be a second truth.
    c.AccountAuthenticator.allow_all = True
    c.AccountAuthenticator.first_admin = accounts.admin
    c.AccountAuthenticator.first_admin_made_file = str(places.hub / "first-admin-made")
    c.AccountAuthenticator.first_password_file = str(places.secrets / "admin-password")
    c.AccountAuthenticator.revocations_file = str(places.revocations)
    c.AccountAuthenticator.origin = places.origin
    configure_provider(c, places)


def _configure_services(c: Any, places: Places) -> None:
    c.JupyterHub.custom_scopes = CUSTOM_SCOPES
    c.JupyterHub.load_roles = ROLES
    c.JupyterHub.services = [
        {
            "name": "twinhub-web",
            "api_token": read_secret(places.secrets / "oauth-hub"),
            "oauth_client_id": WEB_CLIENT_ID,
            "oauth_redirect_uri": SIGN_IN_CALLBACK_PATH,
            "oauth_no_confirm": True,
            "oauth_client_allowed_scopes": WEB_SCOPES,
            "display": False,
        },
        {"name": "twinhub-watch", "api_token": read_secret(places.secrets / "watch"), "display": False},
        {"name": "twinhub-realtime", "api_token": read_secret(places.secrets / "realtime-at-hub"), "display": False},
        {
            "name": "twinhub-operator",
            "api_token": read_secret(places.secrets / "operator"),
            "admin": True,  # no role lets anybody make administrators, or change those that there are
            "display": False,
        },
    ]


def _configure_workspaces(c: Any, places: Places, network: str) -> None:
    settings = places.settings.workspaces
    Workspace.places = places
    c.JupyterHub.spawner_class = Workspace
    c.JupyterHub.allow_named_servers = settings.named > 0 or places.settings.realtime.enabled
    c.JupyterHub.named_server_limit_per_user = partial(named_limit, settings.named)
    c.Workspace.server_token_scopes = WORKSPACE_SCOPES
    # Starts wait for their turn (hub.steps) and say so; the hub's own limit would send people away to try by hand.
    c.JupyterHub.concurrent_spawn_limit = 0
    c.JupyterHub.template_vars = {"end_of": lambda _user: partial(read_end, places)}
    c.Workspace.installation = places.settings.name
    # Empty: nobody chooses an image but the operator.
    c.Workspace.allowed_images = []
    c.Workspace.pull_policy = "never"
    c.Workspace.network_name = network
    c.Workspace.use_internal_ip = True
    c.Workspace.remove = False
    c.Workspace.common_read_only = settings.common == "read-only"
    c.Workspace.answer_timeout_s = settings.start_timeout_s
    # The hub's limit covers the wait for a turn as well, so it is only there for what nobody foresaw.
    c.Workspace.start_timeout = settings.start_timeout_s + LONGEST_WAIT_S
    c.Workspace.http_timeout = settings.start_timeout_s
    # One question to the engine per workspace: at 10 s, fifty workspaces ask five times a second.
    c.Workspace.poll_interval = 10
    c.Workspace.disable_user_config = True
    c.Workspace.default_url = "/lab"
    c.Workspace.notebook_dir = ""
    c.Workspace.proxy_variables = [
        f"{name}={os.environ[name]}" for name in (*PROXY_NAMES, *map(str.upper, PROXY_NAMES)) if os.environ.get(name)
    ]
