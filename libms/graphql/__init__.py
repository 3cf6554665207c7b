"""GraphQL at /lib: the two fixed queries of the DTaaS world, and everything beside them.

`libms/schema.graphql` is the whole schema in words; a test keeps it true.
"""
