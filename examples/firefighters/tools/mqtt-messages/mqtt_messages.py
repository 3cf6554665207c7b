"""Messages of one run over MQTT: JSON on topics below one of its own."""

import json
import queue
import socket
import sys
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion


class Messages:
    """One program's connection: what it sends, and a queue of what it listens to.

    `with Messages(...)` disconnects at the end.
    """

    def __init__(self, url, root, listen_to, patience_s=30):
        self.root = root
        self.patience_s = patience_s
        self.arrived = queue.Queue()
        listening = queue.Queue()
        self.client = Client(CallbackAPIVersion.VERSION2)
        parts = urlsplit(url)
        if parts.username:
            self.client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        if parts.scheme == "mqtts":
            self.client.tls_set()
        self.client.on_connect = lambda client, data, flags, reason, properties: listening.put(reason)
        self.client.on_subscribe = lambda client, data, number, reasons, properties: listening.put(reasons[0])
        self.client.on_message = lambda client, data, message: self.arrived.put((message.topic, message.payload))
        # Without it small messages wait up to 40 ms for company.
        self.client.on_socket_open = lambda client, data, opened: opened.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
        )
        self.client.connect(parts.hostname, parts.port or (8883 if parts.scheme == "mqtts" else 1883))
        self.client.loop_start()
        self._expect(listening)
        for topic in listen_to:
            self.client.subscribe(f"{root}/{topic}", qos=1)
            self._expect(listening)

    def _expect(self, answers):
        """Wait for the broker's consent: what is sent before it listens, a program never hears."""
        try:
            reason = answers.get(timeout=self.patience_s)
        except queue.Empty:
            sys.exit(f"The MQTT broker did not answer for {self.patience_s} s.")
        if reason.is_failure:
            sys.exit(f"The MQTT broker refused: {reason}")

    def send(self, topic, **content):
        self.client.publish(f"{self.root}/{topic}", json.dumps(content), qos=0)

    def __iter__(self):
        """Give each message as (topic below the root, content), as they come; end the program when none comes any more."""
        while True:
            try:
                topic, payload = self.arrived.get(timeout=self.patience_s)
            except queue.Empty:
                sys.exit(f"No message came for {self.patience_s} s.")
            yield topic.removeprefix(f"{self.root}/"), json.loads(payload)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.disconnect()  # what is still to be sent goes out first
        self.client.loop_stop()
