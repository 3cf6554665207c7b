"""Which request goes where. The hub writes the routes to workspaces; all else stands here."""

from __future__ import annotations

import re
from typing import Any, Final

from gateway import middlewares as on_the_way
from gateway.entry_points import ENTRY_POINT, INNER_ENTRY_POINT, MQTT_ENTRY_POINT, WORKSPACES_ENTRY_POINT
from twinhub.names import GATEWAY_OWNER_PATH
from twinhub.places import Places

OUR_PRIORITY: Final = 100_000
"""Above every rule of the hub, whose priority is the rule's length."""
EXTERNAL_PRIORITY: Final = 50_000
"""Between the two."""

PAGES: Final = "Path(`/app`) || PathPrefix(`/app/`)"
LIBRARY: Final = "Path(`/lib`) || PathPrefix(`/lib/`)"
FILES: Final = "PathPrefix(`/lib/files`) || PathPrefix(`/lib/uploads`)"
REALTIME: Final = "Path(`/realtime`) || PathPrefix(`/realtime/`)"
STREAMS: Final = "PathRegexp(`^/realtime/.*/(stream|feed)$`)"
"""Stay open for as long as somebody looks, or a device sends."""
MESSAGES: Final = "PathRegexp(`^/realtime/[^/]+/models/[^/]+/(instances/.+/)?messages$`)"
"""A request for each message is what simple devices send, a thousand of them behind one address."""
OWNERS: Final = f"PathPrefix(`{GATEWAY_OWNER_PATH}/`)"
HUB: Final = "PathPrefix(`/hub/`)"
HUB_API: Final = "Path(`/hub/api`) || PathPrefix(`/hub/api/`)"
HUB_WRITES: Final = f"{HUB} && !Method(`GET`) && !Method(`HEAD`) && !Method(`OPTIONS`)"
HUB_FORMS: Final = f"{HUB_WRITES} && !PathPrefix(`/hub/api/`)"


def routers(places: Places) -> dict[str, Any]:
    """Give our own routes."""
    way = on_the_way
    limited = [way.WORDS, way.REQUEST_LIMIT]
    found = {
        "twinhub-root": _route("Path(`/`)", "twinhub-web", [*limited, way.PAGE_HEADERS]),
        "twinhub-pages": _route(PAGES, "twinhub-web", [*limited, way.PAGE_HEADERS]),
        "twinhub-pages-files": _route("PathPrefix(`/app/static/`)", "twinhub-web", [way.COMPRESS], 10),
        "twinhub-library": _route(LIBRARY, "twinhub-library", [*limited, way.PAGE_HEADERS, way.COMPRESS_JSON]),
        "twinhub-library-files": _route(FILES, "twinhub-library", [way.WORDS, way.FILE_LIMIT], 10),
        "twinhub-hub": _route(HUB, "twinhub-hub", [*limited, way.PAGE_HEADERS]),
        "twinhub-hub-files": _route("PathPrefix(`/hub/static/`)", "twinhub-hub", [way.COMPRESS], 10),
        "twinhub-hub-writes": _route(HUB_WRITES, "twinhub-hub", [*limited, way.SMALL_BODY, way.PAGE_HEADERS], 20),
        "twinhub-hub-forms": _route(
            HUB_FORMS, "twinhub-hub", [way.SIGN_IN_WORDS, way.SIGN_IN_LIMIT, way.SMALL_BODY, way.PAGE_HEADERS], 30
        ),
        "twinhub-owners-inner": _route(OWNERS, "twinhub-web", [way.AGAIN], entry_point=INNER_ENTRY_POINT),
        "twinhub-pages-inner": _route(PAGES, "twinhub-web", [], entry_point=INNER_ENTRY_POINT),
        "twinhub-library-inner": _route(LIBRARY, "twinhub-library", [], entry_point=INNER_ENTRY_POINT),
        # Programs in workspaces speak with the hub's API; its pages, the sign-in above all, are not for them.
        "twinhub-hub-workspaces": _route(HUB_API, "twinhub-hub", [], entry_point=WORKSPACES_ENTRY_POINT),
    }
    if places.settings.realtime.enabled:
        found |= _realtime(limited)
    if places.settings.gateway.subdomains:
        rule = f"HostRegexp(`(?i)^.+\\.{re.escape(places.domain)}\\.?$`) && (Path(`/`) || {PAGES} || {LIBRARY} || {REALTIME} || {HUB})"
        found["twinhub-home"] = _route(rule, "noop@internal", [way.HOME], 100)
    return found | _external(places)


def _realtime(limited: list[str]) -> dict[str, Any]:
    """Give the ways to real-time twins: for browsers and devices, for our own processes, for programs in workspaces."""
    way, service = on_the_way, "twinhub-realtime"
    return {
        service: _route(REALTIME, service, [*limited, way.PAGE_HEADERS, way.COMPRESS_JSON]),
        f"{service}-messages": _route(MESSAGES, service, [way.WORDS, way.FILE_LIMIT], 10),
        # Nothing may hold back what is sent line by line.
        f"{service}-streams": _route(STREAMS, service, [way.FILE_LIMIT], 10),
        f"{service}-inner": _route(REALTIME, service, [], entry_point=INNER_ENTRY_POINT),
        f"{service}-workspaces": _route(REALTIME, service, [], entry_point=WORKSPACES_ENTRY_POINT),
    }


def tcp(places: Places) -> dict[str, Any]:
    """Give the way of devices that speak MQTT where it is encrypted: the gateway has the certificate, whoever made it."""
    if places.mqtt_port is None or not places.settings.gateway.encrypted:
        return {}
    name = "twinhub-mqtt"
    # With the device's own address: whoever guesses keys is shut out by it.
    balancer = {"servers": [{"address": f"127.0.0.1:{places.mqtt_inner_port}"}], "proxyProtocol": {"version": 2}}
    return {
        "routers": {name: {"rule": "HostSNI(`*`)", "entryPoints": [MQTT_ENTRY_POINT], "service": name, "tls": {}}},
        "services": {name: {"loadBalancer": balancer}},
    }


def _external(places: Places) -> dict[str, Any]:
    found = {}
    for name, service in places.settings.gateway.services.items():
        steps = [on_the_way.WORDS, on_the_way.FILE_LIMIT, on_the_way.external_sign_in(name)]
        if service.strip_prefix:
            steps.append(on_the_way.external_prefix(name))
        rule = f"Path(`{service.path}`) || PathPrefix(`{service.path}/`)"
        route = _route(rule, f"twinhub-external-{name}", steps)
        # The longer path wins where one is below another, and none ever wins over ours.
        found[f"twinhub-external-{name}"] = {**route, "priority": EXTERNAL_PRIORITY + len(service.path)}
    return found


def services(places: Places) -> dict[str, Any]:
    """Give the servers behind the routes."""
    urls = {
        "twinhub-web": f"http://127.0.0.1:{places.web_port}",
        "twinhub-library": f"http://127.0.0.1:{places.libms_port}",
        "twinhub-hub": f"http://127.0.0.1:{places.hub_port}",
        **(
            {"twinhub-realtime": f"http://127.0.0.1:{places.realtime_port}"} if places.settings.realtime.enabled else {}
        ),
    }
    found: dict[str, Any] = {name: {"loadBalancer": {"servers": [{"url": url}]}} for name, url in urls.items()}
    trusting = {"serversTransport": "twinhub-external"} if places.settings.ca_bundle else {}
    for name, service in places.settings.gateway.services.items():
        found[f"twinhub-external-{name}"] = {"loadBalancer": {"servers": [{"url": service.url}], **trusting}}
    return found


def _route(
    rule: str, service: str, steps: list[str], above: int = 0, *, entry_point: str = ENTRY_POINT
) -> dict[str, Any]:
    route = {"rule": rule, "service": service, "entryPoints": [entry_point], "priority": OUR_PRIORITY + above}
    return {**route, "middlewares": steps} if steps else route
