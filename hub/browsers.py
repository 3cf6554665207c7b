"""What the hub must know of how browsers reach it: address, hosts, cookies, policy of its pages, sizes."""

from __future__ import annotations

from typing import Any, Final

from tornado.httpserver import HTTPServer

from twinhub.places import Places
from twinhub.subdomains import jupyterhub_host

LARGEST_BODY_BYTES: Final = 2_000_000
"""tornado keeps a body in memory and takes 100 MB by itself; the gateway refuses forms over half of this in words."""


def page_policy(places: Places) -> str:
    """Give the Content-Security-Policy of the hub's pages: no inline scripts or styles, nothing from elsewhere."""
    # Signing in sends the browser on to the workspace that asked for it, and Chromium counts that as the form's target.
    port = "" if places.settings.port == 443 else f":{places.settings.port}"
    hosts = f" https://*.{places.domain}{port}" if places.settings.gateway.subdomains else ""
    return (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        f"form-action 'self'{hosts}; frame-ancestors 'none'"
    )


def configure_browsers_side(c: Any, places: Places) -> None:
    """Fill in addresses, cookies and sizes."""
    gateway = places.settings.gateway
    scheme = "https" if gateway.encrypted else "http"
    c.JupyterHub.bind_url = f"{scheme}://{places.settings.address}:{places.settings.port}"
    HTTPServer.configure(None, max_body_size=LARGEST_BODY_BYTES)
    if gateway.encrypted:
        # The hub sees to it for its other cookies. Not by cookie_options, which every workspace's container is made with.
        c.JupyterHub.tornado_settings["xsrf_cookie_kwargs"] = {"secure": True}
    if gateway.subdomains:
        c.JupyterHub.subdomain_host = places.origin
        c.JupyterHub.subdomain_hook = jupyterhub_host
        # Without it a page on one workspace's host could plant cookies for all others.
        c.JupyterHub.cookie_host_prefix_enabled = True
