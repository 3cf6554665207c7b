"""Settings of the Jupyter server in every workspace; the user's own configuration is not read."""

c = get_config()  # noqa: F821 - Jupyter provides it

c.ServerApp.root_dir = "/workspace"
c.ServerApp.terminado_settings = {"shell_command": ["/bin/bash", "-l"]}
c.KernelSpecManager.ensure_native_kernel = False
c.FileContentsManager.delete_to_trash = False
