"""What happens to a request on its way: headers, limits, sizes, compression, sign-in for foreign servers."""

from __future__ import annotations

from typing import Any, Final

from twinhub.names import FORWARDED_GROUPS, FORWARDED_USER, GATEWAY_REFUSAL_PATH, GATEWAY_SIGN_IN_PATH
from twinhub.places import Places
from twinhub.settings import ExternalService

HEADERS: Final = "twinhub-headers"
PAGE_HEADERS: Final = "twinhub-page-headers"
WORKSPACE_HEADERS: Final = "twinhub-workspace-headers"
WORDS: Final = "twinhub-words"
SIGN_IN_LIMIT: Final = "twinhub-sign-in-limit"
SIGN_IN_WORDS: Final = "twinhub-sign-in-words"
REQUEST_LIMIT: Final = "twinhub-request-limit"
FILE_LIMIT: Final = "twinhub-file-limit"
SMALL_BODY: Final = "twinhub-small-body"
AGAIN: Final = "twinhub-again"
COMPRESS: Final = "twinhub-compress"
COMPRESS_JSON: Final = "twinhub-compress-json"
HOME: Final = "twinhub-home"

WORKSPACE_MIDDLEWARES: Final = (f"{WORKSPACE_HEADERS}@file", f"{COMPRESS}@file", f"{FILE_LIMIT}@file")
"""For the routes that the hub writes. Limited, as each request is a question to the pages (web.owners)."""

SMALL_BODY_BYTES: Final = 1_000_000
"""The hub's forms and JSON; it keeps them in memory, as many at once as are sent."""
AT_ONCE: Final = 10
"""How many seconds' worth of requests may come at once: opening a page asks for dozens."""
FILES: Final = 10
"""Uploads of a folder are a request or two for each file."""

STATIC_TYPES: Final = ("text/css", "text/javascript", "application/javascript", "image/svg+xml", "application/wasm")
"""Compressed wherever they come from. Pages are not: they hold the token against forged requests beside what an
address can put into them, and the length of a compressed page would tell the one by the other (BREACH)."""
JSON_TYPES: Final = ("application/json", "text/plain")

PERMISSIONS: Final = ", ".join(
    f"{feature}=()"
    for feature in ("camera", "geolocation", "microphone", "payment", "usb", "serial", "bluetooth", "hid", "midi")
)


def middlewares(places: Places) -> dict[str, Any]:
    """Give every middleware by its name."""
    gateway = places.settings.gateway
    found: dict[str, Any] = {
        HEADERS: {"headers": _headers(places)},
        PAGE_HEADERS: {"headers": {"customResponseHeaders": _page_headers(places)}},
        WORKSPACE_HEADERS: {"headers": {"customFrameOptionsValue": "SAMEORIGIN"}},
        WORDS: _words("413,429,502,504", "request"),
        SIGN_IN_WORDS: _words("413,429,502,504", "sign-in"),
        SIGN_IN_LIMIT: _limit(places, gateway.sign_ins_per_minute, period="1m", burst=gateway.sign_ins_per_minute),
        REQUEST_LIMIT: _limit(places, gateway.requests_per_second, burst=gateway.requests_per_second * AT_ONCE),
        FILE_LIMIT: _limit(
            places, gateway.requests_per_second * FILES, burst=gateway.requests_per_second * FILES * AT_ONCE
        ),
        SMALL_BODY: {
            "buffering": {"maxRequestBodyBytes": SMALL_BODY_BYTES, "memRequestBodyBytes": SMALL_BODY_BYTES + 1}
        },
        # The pages restart within two seconds; a notebook that is saved in that time waits, and is saved.
        AGAIN: {"retry": {"attempts": 10, "initialInterval": "400ms"}},
        COMPRESS: _compress(STATIC_TYPES, wanted=gateway.compression),
        COMPRESS_JSON: _compress(JSON_TYPES, wanted=gateway.compression),
    }
    if gateway.subdomains:
        found[HOME] = {"redirectRegex": {"regex": "^https?://[^/]+/?(.*)$", "replacement": f"{places.origin}/${{1}}"}}
    for name, service in gateway.services.items():
        found |= _external(places, name, service)
    return found


def external_sign_in(name: str) -> str:
    """Name the middleware that asks who wants to reach a foreign server."""
    return f"twinhub-external-{name}-sign-in"


def external_prefix(name: str) -> str:
    """Name the middleware that takes the path off."""
    return f"twinhub-external-{name}-prefix"


def _external(places: Places, name: str, service: ExternalService) -> dict[str, Any]:
    asking = {
        "forwardAuth": {
            "address": f"http://127.0.0.1:{places.web_port}{GATEWAY_SIGN_IN_PATH}/{name}",
            # What the answer lacks is taken out of the request: forged names, and our cookies.
            "authResponseHeaders": [FORWARDED_USER, FORWARDED_GROUPS, "Cookie", "Authorization"],
            "preserveLocationHeader": True,
        }
    }
    found: dict[str, Any] = {external_sign_in(name): asking}
    if service.strip_prefix:
        found[external_prefix(name)] = {"stripPrefix": {"prefixes": [service.path]}}
    return found


def _headers(places: Places) -> dict[str, Any]:
    gateway = places.settings.gateway
    headers: dict[str, Any] = {
        "contentTypeNosniff": True,
        "referrerPolicy": "same-origin",
        "customResponseHeaders": {"X-Powered-By": "", "Server": ""},
    }
    days = gateway.hsts_days if gateway.hsts_days is not None else 0 if gateway.tls == "local" else 365
    if gateway.encrypted and days:
        headers |= {"stsSeconds": days * 86_400, "stsIncludeSubdomains": gateway.subdomains}
    return headers


def _page_headers(places: Places) -> dict[str, str]:
    headers = {"Permissions-Policy": PERMISSIONS}
    if places.settings.gateway.encrypted:
        # Browsers complain about both where an address is plain HTTP.
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Origin-Agent-Cluster"] = "?1"
    return headers


def _words(statuses: str, reason: str) -> dict[str, Any]:
    query = f"{GATEWAY_REFUSAL_PATH}/{reason}/{{status}}"
    return {"errors": {"status": statuses.split(","), "service": "twinhub-web", "query": query}}


def _limit(places: Places, average: int, *, burst: int, period: str = "1s") -> dict[str, Any]:
    """Limit the requests of one client address; an average of 0 is no limit to Traefik as well."""
    trusted = places.settings.gateway.trusted_proxies
    # Behind a proxy the client is the last address in X-Forwarded-For that is none of our proxies.
    strategy: dict[str, Any] = {"excludedIPs": list(trusted)} if trusted else {}
    return {
        "rateLimit": {
            "average": average,
            "period": period,
            "burst": max(1, burst),
            "sourceCriterion": {"ipStrategy": {**strategy, "ipv6Subnet": 64}},
        }
    }


def _compress(types: tuple[str, ...], *, wanted: bool) -> dict[str, Any]:
    if not wanted:
        return {"headers": {"customResponseHeaders": {"Server": ""}}}  # Traefik knows no empty middleware
    return {
        "compress": {"includedContentTypes": list(types), "minResponseBodyBytes": 1024, "encodings": ["br", "gzip"]}
    }
