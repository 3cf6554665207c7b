"""The operator's side: the `twinhub` command and what it does to a machine."""
