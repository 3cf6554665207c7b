"""The library microservice: assets as GraphQL at /lib and as files at /lib/files.

`libms.app.create_app` builds it; `python -m libms` runs it.
"""
