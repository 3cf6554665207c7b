"""The watch: looks after running workspaces as root, beside the hub.

It stops idle ones after a warning, ends those that fill the disk, and tells the
pages what each one uses. JupyterHub's own idle culler can neither warn nor keep a
workspace until a time somebody named; from it comes only where activity is found:
the hub's `last_activity`, which workspaces report, running twins included.

`python -m hub.watch` runs it.
"""
