"""A notebook's connection to its kernel, as a browser has it: one WebSocket through the gateway."""

import contextlib
import json
import secrets
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.support.people import Person


class Kernel:
    """One Python kernel in somebody's workspace."""

    def __init__(self, person: Person) -> None:
        self._person = person
        base = f"/user/{person.name}/api/kernels"
        started = person.ask("POST", base, json={"name": "python3"})
        assert started.status_code == 201, started.text
        self._path = f"{base}/{started.json()['id']}"
        self._open = contextlib.ExitStack()
        self._socket = self._connect()

    def _connect(self) -> ClientConnection:
        address = self._person.installation.url.replace("http", "ws", 1) + self._path + "/channels"
        headers = {"Authorization": f"token {self._person.token}"}
        return self._open.enter_context(connect(address, additional_headers=headers, open_timeout=20))

    def reconnect(self) -> None:
        """Open the connection again, as a notebook does when the network was away."""
        self.close()
        self._socket = self._connect()

    def run(self, code: str, timeout_s: float = 30.0) -> str:
        """Run code on this very connection; give what it printed."""
        message_id = secrets.token_hex(8)
        header = {
            "msg_id": message_id,
            "msg_type": "execute_request",
            "username": "",
            "session": "tests",
            "version": "5.3",
        }
        content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        self._socket.send(json.dumps(message))
        printed = ""
        while True:
            answer: dict[str, Any] = json.loads(self._socket.recv(timeout=timeout_s))
            if answer["parent_header"].get("msg_id") != message_id:
                continue
            if answer["msg_type"] == "stream":
                printed += answer["content"]["text"]
            if answer["msg_type"] == "error":
                printed += "\n".join(answer["content"]["traceback"])
            if answer["msg_type"] == "status" and answer["content"]["execution_state"] == "idle":
                return printed

    def close(self) -> None:
        self._open.close()
