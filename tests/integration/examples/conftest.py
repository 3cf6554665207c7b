"""Examples that start brokers and servers of their own: too slow for unit tests."""

from tests.unit.examples.conftest import lay_out

__all__ = ["lay_out"]
