"""The gateway: Traefik, configured from twinhub.yaml.

Traefik runs as a process of its own and watches one folder. The hub writes
its routes there, we write ours beside them, and either may restart without
the other: an open notebook's connection runs through Traefik alone.
"""

from gateway.configuration import write_configuration
from gateway.entry_points import API_ENTRY_POINT, ENTRY_POINT, INNER_ENTRY_POINT
from gateway.middlewares import WORKSPACE_MIDDLEWARES

__all__ = ["API_ENTRY_POINT", "ENTRY_POINT", "INNER_ENTRY_POINT", "WORKSPACE_MIDDLEWARES", "write_configuration"]
