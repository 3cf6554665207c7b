"""Parts of the service that stand for themselves, put together: queries, alerts, history, MQTT, connectors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realtime.service.alerts import AlertRoutes, Alerts
from realtime.service.app import Core
from realtime.service.connectors.part import Connectors
from realtime.service.distributor import Sink
from realtime.service.history import History, HistoryRoutes, ReplayRoutes
from realtime.service.history.stores import make_store
from realtime.service.mqtt.part import Mqtt
from realtime.service.mqtt.shared import MqttSettings
from realtime.service.queries import Queries
from realtime.service.queries_dashboards import Dashboards
from realtime.service.queries_http import QueryPages
from realtime.service.spaces import Space
from twinhub.secrets import read_secret
from twinhub.settings.realtime import Realtime


@dataclass(frozen=True)
class Others:
    """What these parts are told."""

    folder: Path
    settings: Realtime
    secrets: Path
    mqtt: MqttSettings | None = None
    mqtt_port: int = 0
    """The port that devices use, where a gateway decrypts for us."""


@dataclass(frozen=True)
class Added:
    """What the service's own parts need of them."""

    sink: Sink
    erase_model: list[Callable[[Space, str], Awaitable[None]]]
    erase_owner: list[Callable[[str], Awaitable[None]]]
    """What erases what these parts keep of a model, or of an owner."""
    mqtt: dict[str, Any] | None
    disconnect: Callable[[str, str, str | None], object] | None


def add_other_parts(core: Core, others: Others) -> Added:
    """Add them all; order matters where one address is the beginning of another."""
    queries = Queries()
    alerts = _add_alerts(core, others, queries)
    history = _add_history(core, others)
    _add_queries(core, queries, alerts)
    connectors = Connectors(others.settings.connectors, secrets=others.secrets, spaces=core.spaces, intake=core.intake)
    core.parts.append(connectors)
    core.background.append(connectors)
    mqtt = _add_mqtt(core, others)
    about = None if others.mqtt is None else {"port": others.mqtt_port or others.mqtt.port, "tls": others.mqtt.proxied}
    return Added(
        alerts,
        [alerts.erase_model, history.erase_model],
        [alerts.erase_owner, history.erase_owner],
        about,
        mqtt.disconnect if mqtt else None,
    )


def _add_alerts(core: Core, others: Others, queries: Queries) -> Alerts:
    mail = others.settings.alerts.mail
    password = read_secret(others.secrets / mail.password_file) if mail.password_file else ""
    alerts = Alerts(others.folder / "alerts", others.settings.alerts, core.spaces, queries, mail_password=password)
    core.parts.append(AlertRoutes(alerts))
    core.background.append(alerts)
    core.at_end.append(alerts.close)
    return alerts


def _add_queries(core: Core, queries: Queries, alerts: Alerts) -> None:
    pages = QueryPages(queries, events=alerts.events)
    core.last_parts += [pages, Dashboards()]
    core.at_end.append(pages.close)


def _add_history(core: Core, others: Others) -> History:
    wanted = others.settings.history
    secret = read_secret(others.secrets / wanted.secret_file) if wanted.secret_file else None
    history = History(make_store(wanted, others.folder / "history", secret), core.spaces)
    core.parts += [HistoryRoutes(history), ReplayRoutes(history)]
    core.background.append(history)
    core.at_end.append(history.close)
    return history


def _add_mqtt(core: Core, others: Others) -> Mqtt | None:
    if others.mqtt is None:
        return None
    mqtt = Mqtt(others.mqtt, spaces=core.spaces, intake=core.intake, replies=core.replies, devices=core.devices)
    core.background.append(mqtt)
    return mqtt
