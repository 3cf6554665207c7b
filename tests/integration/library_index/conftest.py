"""Files and the index over them."""

from tests.support.indexed import followed, library

__all__ = ["followed", "library"]
