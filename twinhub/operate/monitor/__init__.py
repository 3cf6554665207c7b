"""The monitor: looks after the other processes, remembers a day of figures, rotates logs, makes the daily backup.

It runs as root, because only root sees all of that, and answers on a socket to
which the pages alone have access. `python -m twinhub.operate.monitor` runs it.
"""
