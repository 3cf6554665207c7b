"""What a workspace's pages are told to warn of."""

import asyncio
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from workspace_server.notices import Notices, own_notice

FOUND = {
    "workspaces": [{"server": "", "warned": False}, {"server": "night", "warned": True}],
    "workbench": "https://twins.example/app/workbench",
}


def test_each_workspace_tells_of_itself_alone() -> None:
    """A warning in the wrong window makes people save the wrong work."""
    assert own_notice(FOUND, "night") == {"server": "night", "warned": True, "workbench": FOUND["workbench"]}
    assert own_notice(FOUND, "") == {"server": "", "warned": False, "workbench": FOUND["workbench"]}
    assert own_notice({}, "") == {"workbench": None}


def test_many_open_pages_ask_the_hub_once() -> None:
    """Fifty people with four tabs each must not keep the hub from its work."""
    asked = []

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["Authorization"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"workspaces": [{"server": "", "warned": true}], "workbench": null}')

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Hub) as hub:
        Thread(target=hub.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{hub.server_port}/hub/api"
        notices = Notices(
            {
                "JUPYTERHUB_USER": "ada",
                "JUPYTERHUB_API_URL": url,
                "JUPYTERHUB_API_TOKEN": "t",
                "JUPYTERHUB_SERVER_NAME": "",
            }
        )

        async def many() -> list[object]:
            return [await notices.look() for _ in range(5)]

        assert [answer["warned"] for answer in asyncio.run(many())] == [True] * 5
        hub.shutdown()
    assert asked == [("/hub/api/twinhub/users/ada/notices", "token t")]
