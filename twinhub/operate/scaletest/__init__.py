"""`twinhub scaletest`: many people at once, with real sign-ins, workspaces and open WebSockets."""
