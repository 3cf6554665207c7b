"""Kernels that are ended before the server when memory is used up."""

from __future__ import annotations

from typing import Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from workspace_server.memory import expendable


class ExpendableProvisioner(LocalProvisioner):
    """Start kernels as Jupyter does, those of the owner's own environments included."""

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Put the raised score before the kernel's own command."""
        prepared: dict[str, Any] = await super().pre_launch(**kwargs)
        prepared["cmd"] = expendable(*prepared["cmd"])
        return prepared
