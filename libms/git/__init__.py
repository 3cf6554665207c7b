"""The git backend: each owner's assets are a repository, read from a mirror and changed by commits."""

import os

# GitPython looks for git when it is imported and refuses to be where there is none; a library on disk needs neither.
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

from libms.git.backend import GitBackend
from libms.git.repository import GitRepository

__all__ = ["GitBackend", "GitRepository"]
