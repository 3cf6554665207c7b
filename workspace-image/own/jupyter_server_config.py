"""Settings of the Jupyter server in every workspace; the user's own configuration is not read."""

from pathlib import Path

from workspace_server.memory import expendable
from workspace_server.tools import servers

c = get_config()  # noqa: F821 - Jupyter provides it

c.ServerApp.root_dir = "/workspace"
c.ServerApp.terminado_settings = {"shell_command": expendable("/bin/bash", "-l")}
c.KernelProvisionerFactory.default_provisioner_name = "workspace"
c.KernelSpecManager.ensure_native_kernel = False
c.FileContentsManager.delete_to_trash = False
# Who signs out, or loses an account, is out of the workspace after this time as well.
c.HubOAuth.cache_max_age = 30
# Lab asks nobody in the internet; packages come by pip.
c.LabApp.extension_manager = "readonly"
c.LabApp.news_url = None

c.ServerProxy.servers = servers()
if Path("/opt/twinhub/variant").read_text().strip() != "full":
    c.ServerApp.jpserver_extensions = {"jupyter_remote_desktop_proxy": False}
