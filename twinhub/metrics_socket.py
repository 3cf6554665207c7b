"""Figures of root's processes that no route leads to, on sockets which root alone reaches.

prometheus_client serves them on TCP ports only, where every account of the machine could read them.
"""

from __future__ import annotations

import logging
import socketserver
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from twinhub.places import Places

log = logging.getLogger("metrics")


class _OverSocket(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class _Figures(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Give all figures of this process."""
        text = generate_latest(REGISTRY)
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE_LATEST)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: the monitor asks every few seconds."""


def metrics_folder(places: Places) -> Path:
    """Name the folder of the sockets, PART.sock each."""
    return places.run / "metrics"


def offer_figures(places: Places, part: str) -> None:
    """Answer the monitor from a thread, as long as the process lives; without figures it works all the same."""
    file = metrics_folder(places) / f"{part}.sock"
    try:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        file.unlink(missing_ok=True)
        server = _OverSocket(str(file), _Figures)
    except OSError as error:
        log.warning("%s gives no figures: %s cannot be opened (%s)", part, file, error)
        return
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
