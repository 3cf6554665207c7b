"""All of Traefik's configuration, as files."""

from __future__ import annotations

from typing import Any

from gateway.dtaas import dtaas_middlewares, dtaas_routers
from gateway.entry_points import ENTRY_POINT, static_configuration
from gateway.files import write_yaml
from gateway.middlewares import middlewares
from gateway.routes import routers, services, tcp
from gateway.serving import write_serving
from twinhub.places import Places


def dynamic_configuration(places: Places) -> dict[str, Any]:
    """Give our own routes; the hub's stand in a file of their own."""
    transports = {}
    if places.settings.ca_bundle:
        transports = {"serversTransports": {"twinhub-external": {"rootCAs": [str(places.settings.ca_bundle)]}}}
    devices = tcp(places)
    return {
        **({"tcp": devices} if devices else {}),
        "http": {
            "routers": routers(places) | dtaas_routers(ENTRY_POINT, "twinhub-web"),
            "services": services(places),
            "middlewares": middlewares(places) | dtaas_middlewares(),
            **transports,
        },
    }


def write_configuration(places: Places, bridge_address: str) -> None:
    """Write all files; Traefik picks up the dynamic ones at once, the static one at its next start.

    Raises CertificateRefused for a certificate that browsers would not take.
    """
    dynamic = places.gateway / "dynamic"
    dynamic.mkdir(parents=True, exist_ok=True)
    write_serving(places)
    write_yaml(places.gateway / "static.yaml", static_configuration(places, bridge_address))
    write_yaml(dynamic / "twinhub.yaml", dynamic_configuration(places))
