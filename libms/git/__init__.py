"""The git backend: each owner's assets are a repository, read from a mirror and changed by commits."""

from libms.git.backend import GitBackend
from libms.git.repository import GitRepository

__all__ = ["GitBackend", "GitRepository"]
