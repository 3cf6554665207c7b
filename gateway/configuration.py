"""Traefik's static and dynamic configuration, as plain values and as files."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, Final

import yaml

from twinhub.places import Places

ENTRY_POINT: Final = "public"
API_ENTRY_POINT: Final = "internal"
OUR_PRIORITY: Final = 100_000
"""Above every rule of the hub, whose priority is the rule's length."""

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

LONGEST_REQUEST_S: Final = 4 * 3600
"""An upload of 10 GB at 10 Mbit/s takes a little over two hours."""


def static_configuration(places: Places) -> dict[str, Any]:
    """Give what Traefik reads once, at its start."""
    settings = places.settings
    return {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "log": {"level": "WARN"},
        "api": {"dashboard": False},
        "ping": {"entryPoint": API_ENTRY_POINT},
        "providers": {
            "providersThrottleDuration": "0s",
            "file": {"directory": str(places.gateway / "dynamic"), "watch": True},
        },
        "entryPoints": {
            ENTRY_POINT: {
                "address": f"{settings.address}:{settings.port}",
                "http": {
                    "middlewares": ["twinhub-headers@file"],
                    "encodedCharacters": ENCODED_CHARACTERS,
                },
                "transport": {
                    "respondingTimeouts": {"readTimeout": LONGEST_REQUEST_S, "idleTimeout": 180},
                    "lifeCycle": {"graceTimeOut": 2},
                },
            },
            API_ENTRY_POINT: {"address": f"127.0.0.1:{places.gateway_api_port}"},
        },
    }


def dynamic_configuration(places: Places) -> dict[str, Any]:
    """Give our own routes; the hub's stand in a file of their own."""
    routes = {
        "twinhub-root": ("Path(`/`)", "twinhub-web"),
        "twinhub-pages": ("Path(`/app`) || PathPrefix(`/app/`)", "twinhub-web"),
        "twinhub-library": ("Path(`/lib`) || PathPrefix(`/lib/`)", "twinhub-library"),
    }
    ports = {"twinhub-web": places.web_port, "twinhub-library": places.libms_port}
    return {
        "http": {
            "routers": {
                name: {"rule": rule, "service": service, "entryPoints": [ENTRY_POINT], "priority": OUR_PRIORITY}
                for name, (rule, service) in routes.items()
            },
            "services": {
                name: {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{port}"}]}}
                for name, port in ports.items()
            },
            "middlewares": {
                "twinhub-headers": {
                    "headers": {
                        "contentTypeNosniff": True,
                        "referrerPolicy": "same-origin",
                        "customResponseHeaders": {"X-Powered-By": "", "Server": ""},
                    }
                }
            },
        }
    }


def write_configuration(places: Places) -> None:
    """Write both files; Traefik picks up the dynamic one at once, the static one at its next start."""
    dynamic = places.gateway / "dynamic"
    dynamic.mkdir(parents=True, exist_ok=True)
    _write(places.gateway / "static.yaml", static_configuration(places))
    _write(dynamic / "twinhub.yaml", dynamic_configuration(places))


def _write(file: Path, content: dict[str, Any]) -> None:
    """Replace a file whole, and only when it changes, so that a watching Traefik never reads half of it."""
    text = "# Written by 'twinhub up' from twinhub.yaml; changes made here are overwritten.\n"
    text += yaml.safe_dump(content, sort_keys=False)
    if file.exists() and file.read_text() == text:
        return
    descriptor, part = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    with os.fdopen(descriptor, "w") as stream:
        os.fchmod(stream.fileno(), 0o644)
        stream.write(text)
    Path(part).rename(file)
