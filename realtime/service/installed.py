"""The service as a part of an installation: behind the gateway, with the hub's sign-in."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, urlsplit

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from realtime.edge import APART
from realtime.service.accounts import AccountsFile, write_private
from realtime.service.app import HEALTH, build, make_core
from realtime.service.assets import LibraryAssets
from realtime.service.broker import ensure_synced, run_server, server_text
from realtime.service.config import GB, ServiceConfig
from realtime.service.devices import device_key
from realtime.service.hosting import Hosting, hub_client
from realtime.service.labels import account_of, broker_user
from realtime.service.mqtt.shared import MqttSettings
from realtime.service.others import Others, add_other_parts
from realtime.service.own import Around, add_own_parts
from realtime.service.spaces import Spaces
from twinhub.places import Places, read_places
from twinhub.secrets import read_secret
from twinhub.signin import HubClient, Sessions, SignIn, session_cookie

BRIDGE_VARIABLE: Final = "TWINHUB_BRIDGE_ADDRESS"
HUB_VARIABLE: Final = "TWINHUB_HUB_URL"
BROKER: Final = "twinhub"
MONITOR_PORT: Final = 8222
"""Where servers that are not ours tell how they are configured."""
DAY_S: Final = 86400.0
NO_NAME: Final = re.compile(r"[^A-Za-z0-9]")

log = logging.getLogger("realtime")


def service_config(places: Places, bridge_address: str) -> ServiceConfig:
    """Give what an installation's settings say."""
    wanted = places.settings.realtime
    own = f"{bridge_address}:{places.realtime_broker_port}"
    monitors = [f"http://{urlsplit(server).hostname}:{MONITOR_PORT}" for server in wanted.servers]
    return ServiceConfig(
        folder=places.realtime,
        secret=read_secret(places.secrets / "realtime"),
        servers=wanted.servers or (f"nats://{own}",),
        monitors=tuple(monitors) or (f"http://127.0.0.1:{places.realtime_broker_monitor_port}",),
        listen=(own,),
        external=bool(wanted.servers),
        replicas=wanted.replicas,
        relaxed_durability=wanted.relaxed_durability,
        owner_limit_bytes=int(wanted.store_gb * GB),
        retention_s=wanted.retention_days * DAY_S,
    )


def leaf_text(places: Places, owners: Sequence[str]) -> str:
    """Give the words that make our own server a leaf of a centre's, for the one owner whose login it has; '' for none."""
    wanted = places.settings.realtime
    if wanted.leaf_of is None or wanted.leaf_secret is None:
        return ""
    user, _, password = read_secret(places.secrets / wanted.leaf_secret).partition(":")
    account = next((account_of(one) for one in owners if broker_user(one, "service") == user), None)
    if account is None:
        log.warning("no leaf: %s is nobody who has real-time twins here; restart the broker when they have", user)
        return ""
    scheme, _, host = wanted.leaf_of.partition("://")
    url = f"{'tls' if scheme == 'tls' else 'nats-leaf'}://{quote(user, safe='')}:{quote(password, safe='')}@{host}"
    apart = json.dumps(APART)
    return (
        f"leafnodes {{ remotes: [{{ url: {json.dumps(url)}, account: {json.dumps(account)}, "
        f"deny_imports: {apart}, deny_exports: {apart} }}] }}"
    )


def create_app(places: Places, client: HubClient, sessions: Sessions, config: ServiceConfig) -> ASGIApp:
    """Build the service of an installation, behind the hub's sign-in; devices come with keys of their own."""
    accounts = AccountsFile(config)
    spaces = Spaces(config, accounts, ensure_synced)
    hub = hub_client(os.environ[HUB_VARIABLE], read_secret(places.secrets / "realtime-hub"))
    hosting = Hosting(places, spaces, hub=hub, servers=config.servers)
    core = make_core(spaces, config.secret, hosting.ensure_host)
    core.devices.is_gone = hosting.is_gone
    core.parts.append(hosting)  # before all others, as /realtime/worker-access is no owner's
    core.background.append(hosting)
    others = add_other_parts(
        core, Others(places.realtime, places.settings.realtime, places.secrets, _mqtt(places), places.mqtt_port or 0)
    )

    async def still_known(connection: HTTPConnection) -> bool:
        if device_key(connection) is not None:
            return await core.devices.still_speaks(connection)
        user = connection.scope["state"]["user"]
        return await client.fetch_user(user.token) is not None

    add_own_parts(
        core,
        Around(
            config,
            accounts,
            LibraryAssets(f"http://127.0.0.1:{places.libms_port}"),
            hosting.state_of,
            still_known,
            sink=others.sink,
            mqtt=others.mqtt,
            partitions=places.settings.realtime.partitions,
            erase_model=others.erase_model,
            erase_owner=others.erase_owner,
            disconnect=others.disconnect,
        ),
    )
    inner = build(core)
    return DevicesPass(inner, SignIn(inner, client=client, sessions=sessions, open_paths=(HEALTH,), websockets=True))


def _mqtt(places: Places) -> MqttSettings | None:
    """Say where devices connect: to us, or to the gateway that decrypts for us."""
    if places.mqtt_port is None:
        return None
    if places.settings.gateway.encrypted:
        return MqttSettings("127.0.0.1", places.mqtt_inner_port, proxied=True)
    return MqttSettings(places.mqtt_address, places.mqtt_port)


class DevicesPass:
    """ASGI middleware: what comes with a device's key needs no person; the addresses that devices have check it."""

    def __init__(self, inner: ASGIApp, signed_in: ASGIApp) -> None:
        self._inner = inner
        self._signed_in = signed_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and device_key(HTTPConnection(scope)) is not None:
            await self._inner(scope, receive, send)
        else:
            await self._signed_in(scope, receive, send)


def run_broker() -> None:
    """Write the broker's configuration, and become it."""
    places = read_places()
    config = service_config(places, os.environ[BRIDGE_VARIABLE])
    config.broker_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    accounts = AccountsFile(config)
    accounts.write()
    leaf = leaf_text(places, accounts.owners())
    config = dataclasses.replace(config, cluster=leaf, domain=NO_NAME.sub("-", places.domain) if leaf else "")
    file = config.broker_folder / "nats.conf"
    write_private(file, server_text(config, name=BROKER, monitor=f"127.0.0.1:{places.realtime_broker_monitor_port}"))
    run_server(file)


def make_app(places: Places) -> ASGIApp:
    """Read the environment, and build the service."""
    config = service_config(places, os.environ[BRIDGE_VARIABLE])
    sessions = Sessions(read_secret(places.secrets / "session-realtime"), session_cookie(places.settings.gateway))
    client = HubClient(os.environ[HUB_VARIABLE], revocations=places.revocations)
    return create_app(places, client, sessions, config)
