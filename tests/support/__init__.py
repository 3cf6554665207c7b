"""A platform, people and a browser for the tests that use real ones."""
