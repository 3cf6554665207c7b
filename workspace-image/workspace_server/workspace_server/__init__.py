"""What a workspace's Jupyter server does differently from one on a laptop."""

from workspace_server.extension import _jupyter_server_extension_points, _load_jupyter_server_extension

__all__ = ["_jupyter_server_extension_points", "_load_jupyter_server_extension"]
