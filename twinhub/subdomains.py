"""The host of each person's workspace, where `gateway.subdomains` gives everybody one."""

from __future__ import annotations

import base64
import re
from typing import Final

PLAIN: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
CODED: Final = "n0-"


def label(name: str) -> str:
    """Give the first part of a person's host, no two names the same.

    JupyterHub's own hook cuts a name with a dot down to 8 letters and 28 bits of
    a digest: whoever searched a quarter of a billion names would share the host,
    and so the browser's cookies, of a person they chose. Here such a name is
    written out in base 32 instead; 32 letters make 52, and a label may have 63.
    """
    if PLAIN.fullmatch(name) and not name.startswith(CODED):
        return name
    return CODED + base64.b32encode(name.encode()).decode().rstrip("=").lower()


def jupyterhub_host(name: str, domain: str, kind: str) -> str:
    """Serve as JupyterHub's subdomain_hook."""
    return f"{label(name)}.{domain}" if kind == "user" else f"{label(name)}--{kind}.{domain}"
