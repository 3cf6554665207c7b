"""The only way of the hub to the container engine: a small root process that reads every request.

Published socket proxies allow or forbid whole paths. The hub has to create
containers, and whoever may create any container is root on the machine, so the
bodies have to be read too. Nothing is passed on as it came: what is allowed is
made anew from the parts that were checked, so that the engine never sees a byte
that the gate read differently.
"""
