"""Devices by MQTT 3.1.1 and 5.

The listener is our own: nats-server's refuses MQTT 5 and syncs each QoS 1 message by
itself, and no maintained broker library for Python speaks 3.1.1 and 5 with the
acknowledgement left to the application, which must come after the frame is on disk.

    packets, properties   bytes and what they say; no socket
    session               the rules of one connection; no socket, no clock
    listener              sockets, TLS, time and limits
    part                  puts it together with the service's intake and replies
"""
