"""JupyterHub as Twinhub runs it: accounts, workspaces, roles and routes."""
