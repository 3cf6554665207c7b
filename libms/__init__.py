"""The library microservice: assets as GraphQL at /lib and as files at /lib/files.

`libms.app.build` puts it together; `python -m libms` runs it, with `--config FILE` by itself.
"""
