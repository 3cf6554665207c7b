"""The incubator's messages: JSON over AMQP, on one topic exchange that belongs to one run.

routing key         from          content
plant.sample        plant         time [s], room, box_1, box_2 [°C]
plant.end           plant         time
controller.ready    controller
controller.heater   controller    time, on
twin.ready          twin          time: the sample of this time has been dealt with
twin.settings       twin          heating_time [s]
operator.stop       terminate
"""

import json
import sys

import pika


class Messages:
    """One program's connection: what it sends, and one queue with what it listens to."""

    def __init__(self, url, exchange, listen_to, patience_s=30):
        self.exchange = exchange
        self.patience_s = patience_s
        self.connection = pika.BlockingConnection(pika.URLParameters(url))
        self.channel = self.connection.channel()
        # Nothing of a run stays in the broker: the exchange goes with its last queue, a queue with its connection.
        self.channel.exchange_declare(exchange, exchange_type="topic", auto_delete=True)
        if listen_to:
            self.queue = self.channel.queue_declare("", exclusive=True).method.queue
            for key in listen_to:
                self.channel.queue_bind(self.queue, exchange, key)

    def send(self, key, **content):
        self.channel.basic_publish(self.exchange, key, json.dumps(content).encode())

    def __iter__(self):
        """Give each message as (routing key, content), as they come; end the program when none comes any more."""
        for method, _, body in self.channel.consume(self.queue, auto_ack=True, inactivity_timeout=self.patience_s):
            if method is None:
                sys.exit(f"No message came for {self.patience_s} s.")
            yield method.routing_key, json.loads(body)

    def close(self):
        if self.connection.is_open:
            self.connection.close()
