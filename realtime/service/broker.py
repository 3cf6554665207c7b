"""The broker: nats-server with one account per owner, JetStream that syncs before it acknowledges.

`python -m realtime.service.broker` becomes that server, as the platform's program realtime-broker.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx2

from realtime.service.config import ServiceConfig
from realtime.service.errors import BrokerAway, BrokerUnsafe
from realtime.service.labels import Role, account_of, broker_password, broker_user

MAX_PAYLOAD: Final = 8 * 1024 * 1024
MOST_STREAMS: Final = 64
MOST_CONSUMERS: Final = 10_000
MEMORY_EACH: Final = 64 * 1024 * 1024
"""Leases and workers' figures are in memory, as they live for seconds."""
KEPT: Final = (
    "IN",
    "OUT",
    "DEAD",
    "CHANGES",
    "KV_models",
    "KV_versions",
    "KV_snapshots",
    "KV_skips",
    "KV_credentials",
    "KV_places",
    "KV_dashboards",
    "OBJ_bundles",
    "OBJ_states",
)
"""Streams that workers may not make, change or delete."""
REMADE: Final = ("KV_leases", "KV_workers")
"""Streams in memory, which workers make again for a broker that was started anew, and may not change or delete."""
MOST_CONNECTIONS: Final = 200
MOST_SUBSCRIPTIONS: Final = 20_000


def server_text(config: ServiceConfig, *, name: str = "twinhub", monitor: str = "127.0.0.1:8222") -> str:
    """Write the configuration of a server; the first address of `listen` is its own."""
    folder = config.broker_folder
    lines = [
        f"server_name: {_quoted(name)}",
        f"listen: {_quoted(config.listen[0])}",
        f"http: {_quoted(monitor)}",
        f"pid_file: {_quoted(str(folder / f'{name}.pid'))}",
        f"max_payload: {MAX_PAYLOAD}",
        "max_control_line: 4096",
        "write_deadline: '10s'",
        "jetstream {",
        *([f"  domain: {_quoted(config.domain)}"] if config.domain else []),
        f"  store_dir: {_quoted(str(folder / name))}",
        *(() if config.relaxed_durability else ("  sync_interval: always",)),
        # Owners' limits count as taken from these whether used or not; the next owner must always find room.
        "  max_mem: 1T",
        "  max_file: 1P",
        "}",
        config.cluster,
        "include 'accounts.conf'",
    ]
    return "\n".join(lines) + "\n"


def accounts_text(config: ServiceConfig, owners: Mapping[str, str]) -> str:
    """Write the accounts of owners, each with a generation, and their users; passwords are derived."""
    accounts = [_account(config, owner, generation) for owner, generation in owners.items()]
    # A server without any account would let everybody in.
    closed = f"  closed: {{ users: [{{ user: closed, password: {_quoted(broker_password(config.secret, '', 'service'))} }}] }}"
    return "\n".join(["accounts {", closed, *accounts, "}", ""])


def _account(config: ServiceConfig, owner: str, generation: str) -> str:
    users = ",\n".join(_user(config, owner, role, generation) for role in ("service", "worker", "program"))
    limits = (
        f"max_mem: {MEMORY_EACH}, max_file: {config.owner_limit_bytes}, "
        f"max_streams: {MOST_STREAMS}, max_consumers: {MOST_CONSUMERS}"
    )
    most = f"max_connections: {MOST_CONNECTIONS}, max_subscriptions: {MOST_SUBSCRIPTIONS}"
    return (
        f"  {_quoted(account_of(owner))}: {{\n    jetstream: {{ {limits} }}\n    limits: {{ {most} }}\n"
        f"    users: [\n{users}\n    ]\n  }}"
    )


def _user(config: ServiceConfig, owner: str, role: Role, generation: str) -> str:
    name, password = broker_user(owner, role), broker_password(config.secret, owner, role, generation)
    return f"      {{ user: {_quoted(name)}, password: {_quoted(password)}{_permissions(role)} }}"


def _permissions(role: Role) -> str:
    """Say what a user may: the service all, workers all but the owner's streams themselves, programs send and listen."""
    if role == "service":
        return ""
    if role == "worker":
        denied = [f"$JS.API.STREAM.{verb}.{name}" for verb in ("CREATE", "UPDATE", "DELETE") for name in KEPT]
        denied += [f"$JS.API.STREAM.{verb}.{name}" for verb in ("UPDATE", "DELETE") for name in REMADE]
        denied += [f"$JS.API.STREAM.{verb}.{name}" for verb in ("PURGE", "MSG.DELETE", "RESTORE") for name in KEPT[:4]]
        denied += ["$KV.credentials.>", "$KV.places.>", "$KV.models.>", "$KV.versions.>"]
        return f", permissions: {{ publish: {{ deny: {json.dumps(denied)} }} }}"
    return ', permissions: { publish: ["batch.*"], subscribe: ["reply.*", "_INBOX.>"], allow_responses: false }'


def _quoted(text: str) -> str:
    return json.dumps(text)


def server_program() -> str:
    """Find nats-server, which is installed beside our Python."""
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise BrokerUnsafe("The program nats-server is not installed.", "Install the platform's locked requirements.")
    return found


async def ensure_synced(config: ServiceConfig) -> None:
    """Refuse a broker that acknowledges what is not on disk; raises BrokerUnsafe, BrokerAway."""
    if config.relaxed_durability:
        return
    if not config.monitors:
        raise _unsafe("It is not known where the broker tells how it is configured")
    async with httpx2.AsyncClient(timeout=5.0, trust_env=False) as http:
        for monitor in config.monitors:
            try:
                answer = (await http.get(f"{monitor}/jsz", params={"config": "1"})).json()
            except (httpx2.HTTPError, ValueError) as error:
                raise BrokerAway(f"The broker does not answer at {monitor}.", "Try again in some seconds.") from error
            if answer.get("config", {}).get("sync_always") is not True:
                raise _unsafe(f"The broker at {monitor} acknowledges messages before they are on disk")


def _unsafe(what: str) -> BrokerUnsafe:
    return BrokerUnsafe(
        f"{what}, so messages that were accepted could be lost.",
        "Set 'sync_interval: always' in its jetstream section, or set realtime.relaxed_durability and accept that.",
    )


def run_server(config_file: Path) -> None:
    """Become the server."""
    program = server_program()
    os.execv(program, [program, "-c", str(config_file)])  # noqa: S606 - our own program, with a list of arguments


if __name__ == "__main__":
    from realtime.service.installed import run_broker

    run_broker()
