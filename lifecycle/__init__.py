"""A digital twin's life: its phases, their runs and logs.

Installed in every workspace, apart from the platform; `twin` on the command
line and the Jupyter Server extension under /user/NAME/twins are its two faces.
"""
