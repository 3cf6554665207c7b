"""The processes of the platform: what runs, as whom, with which environment."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.entry_points import FOR_PEOPLE, addresses
from twinhub.operate.engine import engine_command
from twinhub.operate.network import network_name
from twinhub.places import DATA_DIR_VARIABLE, Places

LISTENING: Final = Path(__file__).parents[2] / "gateway" / "listening.py"
CONFIGURATION: Final = Path(__file__).parents[2] / "hub" / "jupyterhub_config.py"
IMAGE: Final = "image"
ONCE: Final = (IMAGE,)
"""Programs that end when their work is done."""


@dataclass(frozen=True)
class Program:
    """One supervised process."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    stop_wait_s: int = 10
    priority: int = 100
    """Lower ones start first and stop last."""
    holds_workspaces: bool = False
    """Its children are the workspaces, which must outlive it: they are never swept up with it."""
    once: bool = False
    """It ends when its work is done, and is started again only when `due`, or when it failed."""
    due: bool = True


def hub_url(places: Places) -> str:
    """Give the address at which the platform's own processes reach the hub."""
    return f"http://127.0.0.1:{places.hub_port}"


def hub_url_inside(places: Places, bridge_address: str) -> str:
    """Give the address at which workspaces reach the hub's API, and nothing else of it: see gateway.configuration."""
    return f"http://{bridge_address}:{places.hub_port}"


def engine_program(places: Places) -> Program:
    """The container engine, where no init system runs it."""
    return Program("engine", tuple(engine_command(places.data_dir)), stop_wait_s=30, priority=1, holds_workspaces=True)


def platform_programs(places: Places, bridge_address: str) -> tuple[Program, ...]:
    """Give the platform's own processes."""
    python = (sys.executable, "-m")
    service_id = places.settings.workspace_user_id
    shared = {**_shared(places), "TWINHUB_HUB_URL": hub_url(places)}
    hub = {
        **shared,
        "HOME": str(places.hub),
        "TWINHUB_NETWORK": network_name(places),
        "TWINHUB_HUB_URL_INSIDE": hub_url_inside(places, bridge_address),
        **proxy_variables(),
    }
    programs = [
        Program("engine-gate", (*python, "hub.engine_gate"), shared, priority=5),
        Program(
            "gateway",
            (*_listening(places, bridge_address), *_as_user(places.gateway_user_id, _traefik(places))),
            {"HOME": str(places.run)},
            priority=10,
        ),
        Program("hub", _as_hub(places, (*python, "jupyterhub", "-f", str(CONFIGURATION))), hub, 15, 20),
        Program("upkeep", (*python, "twinhub.operate.upkeep"), shared, priority=40),
        Program("libms", _as_user(service_id, (*python, "libms")), shared, priority=30),
        Program("watch", (*python, "hub.watch"), shared, priority=40),
        Program("web", _as_user(service_id, (*python, "web")), shared, priority=30),
    ]
    if places.settings.realtime.enabled:
        programs += _realtime(places, {**shared, "TWINHUB_BRIDGE_ADDRESS": bridge_address})
    programs.append(Program("monitor", (*python, "twinhub.operate.monitor"), shared, priority=50))
    return tuple(programs)


def _realtime(places: Places, environment: dict[str, str]) -> list[Program]:
    """Give the broker, which is there before anybody asks it and writes down what it has in peace, and the service."""

    def program(name: str, module: str, *, stop_wait_s: int, priority: int) -> Program:
        command = _as_user(places.realtime_user_id, (sys.executable, "-m", module))
        # The service asks the hub, the broker and webhooks of people's; none of them by the shell's proxy but the last.
        return Program(name, command, {**environment, **proxy_variables()}, stop_wait_s, priority)

    service = program("realtime", "realtime.service", stop_wait_s=15, priority=30)
    if places.settings.realtime.servers:
        return [service]
    return [program("realtime-broker", "realtime.service.broker", stop_wait_s=30, priority=25), service]


def _listening(places: Places, bridge_address: str) -> tuple[str, ...]:
    """Give the words that open the gateway's ports, before the command that takes them over."""
    opened = addresses(places, bridge_address)
    peoples = [f"{name}={address}" for name, address in opened.items() if name in FOR_PEOPLE]
    others = [f"{name}={address}" for name, address in opened.items() if name not in FOR_PEOPLE]
    return (sys.executable, "-I", str(LISTENING), *peoples, "--", *others, "--")


def _as_hub(places: Places, command: tuple[str, ...]) -> tuple[str, ...]:
    # A member of the gateway's group, so that it can write routes which only the gateway reads.
    return _as_user(places.hub_user_id, command, groups=(places.gateway_user_id,))


def _shared(places: Places) -> dict[str, str]:
    return {
        DATA_DIR_VARIABLE: str(places.data_dir),
        # Not the shell's own, which would restart everything whenever another one is used.
        "PATH": f"{Path(sys.executable).parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(places.run),
    }


def image_program(places: Places, *, due: bool) -> Program:
    """What builds the images that `twinhub up` does not wait for."""
    command = (sys.executable, "-m", "twinhub.operate.cli", "image", "build-rest")
    return Program(IMAGE, command, {**_shared(places), **proxy_variables()}, priority=90, once=True, due=due)


def _traefik(places: Places) -> tuple[str, ...]:
    binary = Path(sys.executable).parent / "traefik"
    return (str(binary), f"--configFile={places.gateway / 'static.yaml'}")


def _as_user(user_id: int, command: tuple[str, ...], *, groups: tuple[int, ...] = ()) -> tuple[str, ...]:
    """Drop root for good before the command starts; an account entry is not needed for that."""
    if os.getuid() != 0:
        return command
    setpriv = shutil.which("setpriv") or "/usr/bin/setpriv"
    return (
        setpriv,
        f"--reuid={user_id}",
        f"--regid={user_id}",
        f"--groups={','.join(map(str, groups))}" if groups else "--clear-groups",
        "--no-new-privs",
        "--inh-caps=-all",
        "--",
        *command,
    )


def proxy_variables() -> dict[str, str]:
    """Give the proxy settings of the shell, which workspaces get too."""
    names = ("http_proxy", "https_proxy", "no_proxy")
    return {name: os.environ[name] for name in (*names, *map(str.upper, names)) if os.environ.get(name)}
