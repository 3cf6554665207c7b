"""The gitlab backend: each owner's assets are a project of one GitLab group, read and changed over GitLab's interface."""

from libms.gitlab.backend import GitLabBackend

__all__ = ["GitLabBackend"]
