"""The default backend: assets are files below one folder of the host, the same that workspaces mount."""
