"""A stand-in for GitLab, as no GitLab can run where these tests run.

It is not GitLab. It answers the documented requests that the library sends, over
HTTP, from real git repositories, so that content, ids and history are real; and
it checks every request against what GitLab documents: GraphQL against the
documented schema (schema.graphql), REST against the documented parameters
(rest.py). Whatever is unknown, missing or of the wrong type is refused and
recorded in `GitLabStandIn.violations`, which every test must find empty. It is
stricter than GitLab there, as GitLab ignores unknown parameters. Rights, CI,
hooks, push rules and the web pages of GitLab are not in it.
"""

from tests.support.gitlab_standin.faults import Fault
from tests.support.gitlab_standin.repository import Repository
from tests.support.gitlab_standin.server import TOKEN, GitLabStandIn

__all__ = ["TOKEN", "Fault", "GitLabStandIn", "Repository"]
