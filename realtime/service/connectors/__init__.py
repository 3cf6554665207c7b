"""Brokers elsewhere whose messages go to models here; twinhub.settings.connectors says which.

mapping           what a message is there, and where it goes here
connector         one way: reads, gives to the intake, then acknowledges there, for ever
mqtt, nats_peer, amqp, kafka   what each kind of broker needs
part              all ways of the configuration, and how they are
"""
