"""A page to try queries on, for a library that runs without the platform's pages and their query editor."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

SCRIPT_PATH: Final = "/lib/playground.js"
POLICY: Final = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; frame-ancestors 'none'"
PAGE: Final = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Library queries</title>
<script type="module" src="/lib/playground.js"></script></head>
<body>
<h1>Library queries</h1>
<p>All that can be asked: <a href="/lib/schema.graphql">the schema</a>. Programs POST the same to this address.</p>
<form>
<p><label>Query<br><textarea name="query" rows="14" cols="90" spellcheck="false">{
  listDirectory(path: "") { repository { tree { trees { edges { node { name } } } } } }
}</textarea></label></p>
<p><label>Variables, as JSON<br><textarea name="variables" rows="3" cols="90" spellcheck="false">{}</textarea></label></p>
<p><label>Token, where one is needed<br><input name="token" type="password" size="60" autocomplete="off"></label></p>
<p><button>Run</button> (Ctrl+Enter)</p>
</form>
<pre aria-live="polite"></pre>
</body>
</html>
"""
SCRIPT: Final = """const form = document.querySelector("form");
const shown = document.querySelector("pre");

async function run() {
  shown.textContent = "…";
  try {
    const variables = JSON.parse(form.variables.value || "{}");
    const headers = { "Content-Type": "application/json" };
    if (form.token.value) headers.Authorization = `token ${form.token.value}`;
    const body = JSON.stringify({ query: form.query.value, variables });
    const answer = await fetch(location.pathname, { method: "POST", headers, body });
    shown.textContent = JSON.stringify(await answer.json(), null, 2);
  } catch (error) {
    shown.textContent = error.message;
  }
}

form.addEventListener("submit", (event) => { event.preventDefault(); run(); });
form.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.ctrlKey) run(); });
"""


class Playground:
    """Answer a browser's GET with the page; everything else goes on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        page = self._page(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        await (page or self._app)(scope, receive, send)

    @staticmethod
    def _page(scope: Scope) -> Response | None:
        if scope["path"] == SCRIPT_PATH:
            return Response(SCRIPT, media_type="text/javascript", headers={"X-Content-Type-Options": "nosniff"})
        if scope["path"] == "/lib" and "text/html" in Headers(scope=scope).get("accept", ""):
            return HTMLResponse(PAGE, headers={"Content-Security-Policy": POLICY})
        return None
