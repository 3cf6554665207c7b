"""What Traefik reads once, at its start: where it listens, what it notes down, how it gets certificates."""

from __future__ import annotations

from typing import Any, Final

from twinhub.places import Places

ENTRY_POINT: Final = "public"
INNER_ENTRY_POINT: Final = "inner"
API_ENTRY_POINT: Final = "internal"
WORKSPACES_ENTRY_POINT: Final = "workspaces"
"""On the workspaces' bridge: the API of the hub and of real-time twins, and nothing else."""
MQTT_ENTRY_POINT: Final = "mqtt"
"""Devices that speak MQTT, where the gateway decrypts it."""
PLAIN_ENTRY_POINT: Final = "plain"
"""Sends on to HTTPS, and answers the authority's question for ACME."""
FOR_PEOPLE: Final = (ENTRY_POINT, PLAIN_ENTRY_POINT, MQTT_ENTRY_POINT)
ACME: Final = "twinhub"

ENCODED_CHARACTERS: Final = {
    # File names may hold all of these; the services decode a path once and split it before that.
    "allowEncodedSlash": True,
    "allowEncodedBackSlash": True,
    "allowEncodedSemicolon": True,
    "allowEncodedPercent": True,
    "allowEncodedQuestionMark": True,
    "allowEncodedHash": True,
    # No file name holds this one.
    "allowEncodedNullCharacter": False,
}
REQUESTS: Final = {
    "encodedCharacters": ENCODED_CHARACTERS,
    # X_Forwarded_User is X-Forwarded-User to programs that read headers as CGI does.
    "aliasHeadersStrategy": "delete",
    "maxHeaderBytes": 64 * 1024,
}

LONGEST_DIAL: Final = "5s"
"""All that is behind the gateway is on this machine; a container that was taken away leaves an address where nobody
answers at all, and people would wait half a minute for a page that says so."""

LONGEST_REQUEST_S: Final = 4 * 3600
"""An upload of 10 GB at 10 Mbit/s takes a little over two hours."""

NOTED: Final = (
    "StartUTC",
    "ClientHost",
    "RequestMethod",
    "RequestHost",
    "RequestPath",
    "RequestProtocol",
    "RequestContentSize",
    "DownstreamStatus",
    "DownstreamContentSize",
    "OriginStatus",
    "Duration",
    "RouterName",
    "TLSVersion",
)
"""What a line of the access log holds. The rest is dropped: user names of foreign services, headers, addresses within."""


METRICS: Final = {
    "entryPoint": API_ENTRY_POINT,
    "buckets": [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0],
    "addEntryPointsLabels": True,
    # Their names hold those of people.
    "addRoutersLabels": False,
    "addServicesLabels": False,
}


def static_configuration(places: Places, bridge_address: str) -> dict[str, Any]:
    """Give Traefik's static configuration."""
    return {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "log": {"level": "WARN", "format": "json"},
        "api": {"dashboard": False},
        "ping": {"entryPoint": API_ENTRY_POINT},
        "metrics": {"prometheus": METRICS},
        "serversTransport": {"forwardingTimeouts": {"dialTimeout": LONGEST_DIAL}},
        "providers": {
            "providersThrottleDuration": "0s",
            "file": {"directory": str(places.gateway / "dynamic"), "watch": True},
        },
        "entryPoints": _entry_points(places, bridge_address),
        **_access_log(places),
        **_certificates_resolvers(places),
    }


def addresses(places: Places, bridge_address: str) -> dict[str, str]:
    """Give the address of each entry point; they are opened by gateway/listening.py."""
    return {name: point["address"] for name, point in _entry_points(places, bridge_address).items()}


def plain_port(places: Places) -> int | None:
    """Give the port of plain HTTP beside HTTPS, where there is one."""
    gateway = places.settings.gateway
    if not gateway.encrypted:
        return None
    return gateway.http_port or (80 if places.settings.port == 443 else None)


def _entry_points(places: Places, bridge_address: str) -> dict[str, Any]:
    gateway = places.settings.gateway
    public = _listening(f"{places.settings.address}:{places.settings.port}", gateway.trusted_proxies)
    public["http"]["middlewares"] = ["twinhub-headers@file"]
    if gateway.encrypted:
        public["http"]["tls"] = {}
    points = {
        ENTRY_POINT: public,
        # The gateway asks its own questions here, and tells in these headers what about.
        INNER_ENTRY_POINT: _listening(f"127.0.0.1:{places.inner_gateway_port}", ("127.0.0.1/32",)),
        API_ENTRY_POINT: {
            "address": f"127.0.0.1:{places.gateway_api_port}",
            "http": {"aliasHeadersStrategy": "delete"},
        },
        # The hub itself listens on loopback, on the same port.
        WORKSPACES_ENTRY_POINT: _listening(f"{bridge_address}:{places.hub_port}", ()),
    }
    points[WORKSPACES_ENTRY_POINT]["observability"] = {"accessLogs": False}
    points[INNER_ENTRY_POINT]["observability"] = {"accessLogs": False}
    points[API_ENTRY_POINT]["observability"] = {"accessLogs": False}
    port = plain_port(places)
    if port is not None:
        plain = _listening(f"{places.settings.address}:{port}", gateway.trusted_proxies)
        plain["transport"]["respondingTimeouts"] = {"readTimeout": 10, "writeTimeout": 10, "idleTimeout": 10}
        plain["http"]["redirections"] = {"entryPoint": {"to": f":{places.settings.port}", "scheme": "https"}}
        points[PLAIN_ENTRY_POINT] = plain
    if places.mqtt_port and gateway.encrypted:
        points[MQTT_ENTRY_POINT] = {"address": f"{places.mqtt_address}:{places.mqtt_port}"}
    return points


def _listening(address: str, trusted: tuple[str, ...]) -> dict[str, Any]:
    return {
        "address": address,
        "http": dict(REQUESTS),
        "forwardedHeaders": {"trustedIPs": list(trusted)},
        "transport": {
            "respondingTimeouts": {"readTimeout": LONGEST_REQUEST_S, "idleTimeout": 180},
            "lifeCycle": {"graceTimeOut": 2},
        },
    }


def _access_log(places: Places) -> dict[str, Any]:
    if not places.settings.gateway.access_log:
        return {}
    fields = {
        "defaultMode": "drop",
        "names": dict.fromkeys(NOTED, "keep"),
        "headers": {"defaultMode": "drop", "names": {"User-Agent": "keep", "X-Request-Id": "keep"}},
        # Somebody's '?token=' would stay on the disk for months.
        "queryParameters": {"defaultMode": "drop"},
    }
    return {"accessLog": {"filePath": str(places.access_log), "format": "json", "fields": fields}}


def _certificates_resolvers(places: Places) -> dict[str, Any]:
    gateway = places.settings.gateway
    if gateway.tls != "acme":
        return {}
    acme: dict[str, Any] = {
        "caServer": gateway.acme_server,
        "storage": str(places.tls / "acme" / "acme.json"),
        "keyType": "EC256",
    }
    if gateway.acme_email:
        acme["email"] = gateway.acme_email
    if places.settings.ca_bundle:
        acme["caCertificates"] = [str(places.settings.ca_bundle)]
        acme["caSystemCertPool"] = True
    if gateway.acme_challenge == "http":
        acme["httpChallenge"] = {"entryPoint": PLAIN_ENTRY_POINT if plain_port(places) else ENTRY_POINT}
    else:
        acme["tlsChallenge"] = {}
    return {"certificatesResolvers": {ACME: {"acme": acme}}}
