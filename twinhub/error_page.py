"""A refusal as a page for browsers; programs get the same as JSON."""

from __future__ import annotations

from html import escape
from typing import Final

from starlette.responses import HTMLResponse

from twinhub.errors import PublicError

POLICY: Final = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
RETRY_AFTER_S: Final = 3

PAGE: Final = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">{refresh}
<title>{status} · Twinhub</title>
<link rel="icon" href="/app/static/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/app/static/pages.css">
<script type="module" src="/app/static/theme.js"></script></head>
<body><header class="tw-header"><a class="tw-brand" href="/app/library"><img src="/app/static/favicon.svg" alt=""
width="26" height="26"> Twinhub</a></header>
<main><section class="tw-middle"><h1>{what}</h1><p>{fix}</p>
<a class="btn btn-primary" href="/app/library">Go to the Library</a></section></main></body>
</html>
"""


def error_page(error: PublicError) -> HTMLResponse:
    """Render it; a page that says "try again" does so by itself."""
    waits = error.status == 503
    refresh = f'<meta http-equiv="refresh" content="{RETRY_AFTER_S}">' if waits else ""
    text = PAGE.format(refresh=refresh, status=error.status, what=escape(error.what), fix=escape(error.fix))
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    if waits:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    return HTMLResponse(text, error.status, headers)
