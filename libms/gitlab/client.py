"""Ask GitLab, and turn what can go wrong into words; the only module that speaks to it."""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final, NoReturn
from urllib.parse import quote, urlsplit

import gitlab
import requests
from gitlab.exceptions import GitlabError
from gql import GraphQLRequest
from gql.transport.exceptions import TransportConnectionFailed, TransportError, TransportQueryError

from libms.errors import BackendUnreachable
from libms.gitlab.patience import PATIENCE_S, TOO_MANY, PatientClient, PatientSession, StatusError
from twinhub.errors import SettingsError

TIMEOUT_S: Final = 30.0
"""Until GitLab connects, and between two pieces of an answer."""
LARGEST_PAGE: Final = 100
CHUNK_BYTES: Final = 1 << 20

REFUSED: Final = frozenset({400, 409, 422})

log = logging.getLogger("libms")


class Missing(Exception):
    """GitLab knows no such thing."""


class Refused(Exception):
    """GitLab does not do what it was asked for; its words are for the log only."""


class GitLabClient:
    """One GitLab, with one token; safe for many threads."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        ca_file: Path | None = None,
        timeout_s: float = TIMEOUT_S,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.host = _checked_host(url)
        self._url, self._token, self._timeout_s = url, token, timeout_s
        # python-gitlab's own waiting has no limit, so the sessions below wait, and it never does.
        self._rest = gitlab.Gitlab(
            url,
            private_token=token,
            timeout=timeout_s,
            session=PatientSession(patience_s),
            ssl_verify=str(ca_file) if ca_file else True,
            retry_transient_errors=False,
        )
        self._http = PatientClient(
            patience_s,
            headers={"Authorization": f"Bearer {token}", "User-Agent": "twinhub"},
            timeout=timeout_s,
            verify=ssl.create_default_context(cafile=str(ca_file)) if ca_file else True,
        )
        self._threads = threading.local()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()
        self._rest.session.close()

    # --- GraphQL ----------------------------------------------------------------------

    def query(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Ask in GraphQL. What people typed belongs into the variables, never into the document."""
        request = GraphQLRequest(document, variable_values=variables)
        for last in (False, True):
            try:
                # python-gitlab's type says text only; it hands the request to gql, which wants variables in it.
                return dict(self._graphql().execute(request))  # type: ignore[arg-type]
            except TransportQueryError as error:
                log.error("GitLab does not answer a query: %s", _masked(str(error), self._token))
                raise self._unreachable("does not understand the library's query") from error
            except TransportConnectionFailed as error:
                status = error.__cause__.status if isinstance(error.__cause__, StatusError) else None
                if status is not None or last:
                    self._explain(status, error)
            except (TransportError, GitlabError) as error:
                raise self._unreachable("does not answer as GitLab does") from error
        raise AssertionError("the second try either answers or raises")

    def _graphql(self) -> gitlab.GraphQL:
        """Give this thread's own: gql's client cannot be shared, the connections below it can."""
        made: gitlab.GraphQL | None = getattr(self._threads, "graphql", None)
        if made is None:
            made = gitlab.GraphQL(self._url, client=self._http, max_retries=0, obey_rate_limit=False)
            self._threads.graphql = made
        return made

    # --- REST -------------------------------------------------------------------------

    def get(self, *parts: str, **attributes: Any) -> Any:
        """Get JSON from an address whose parts are given plain; raises Missing, Refused."""
        return self._again(lambda: self._json(self._request("get", parts, query_data=attributes)))

    def pages(self, *parts: str, **attributes: Any) -> Iterator[dict[str, Any]]:
        """Go through a list of any length; raises Missing.

        Pages are counted here rather than followed by the answer's `Link`, which
        may name another host.
        """
        number = 1
        while True:
            page = self.get(*parts, page=number, per_page=LARGEST_PAGE, **attributes)
            yield from page
            if len(page) < LARGEST_PAGE:
                return
            number += 1

    def post(self, body: IO[bytes], *parts: str) -> Any:
        """Send a file of JSON; raises Missing, Refused."""
        headers = {"Content-type": "application/json"}
        return self._json(self._request("post", parts, post_data=body, raw=True, extra_headers=headers))

    def download(self, take: Callable[[bytes], object], *parts: str, **attributes: Any) -> None:
        """Hand a file's bytes over in pieces; raises Missing."""
        response = self._request("get", parts, query_data=attributes, streamed=True)
        try:
            for chunk in response.iter_content(CHUNK_BYTES):
                take(chunk)
        except requests.RequestException as error:
            self._explain(None, error)
        finally:
            response.close()

    def _json(self, response: requests.Response) -> Any:
        try:
            return response.json()
        except requests.JSONDecodeError as error:
            raise self._unreachable("does not answer as GitLab does") from error

    def _again(self, ask: Callable[[], Any]) -> Any:
        """Ask a second time when the connection had gone; only for what changes nothing."""
        try:
            return ask()
        except BackendUnreachable as error:
            if not isinstance(error.__cause__, requests.ConnectionError):
                raise
        return ask()

    def _request(self, verb: str, parts: tuple[str, ...], **options: Any) -> requests.Response:
        path = "".join(f"/{quote(part, safe='')}" for part in parts)
        try:
            return self._rest.http_request(verb, path, max_retries=0, obey_rate_limit=False, **options)
        except requests.RequestException as error:
            self._explain(None, error)
        except GitlabError as error:
            if error.response_code == 404:
                raise Missing from error
            if error.response_code in REFUSED:
                raise Refused(_masked(str(error), self._token)) from error
            self._explain(error.response_code, error)

    # --- words ------------------------------------------------------------------------

    def _explain(self, status: int | None, cause: Exception) -> NoReturn:
        if status == 401:
            raise self._unreachable(
                "refuses the platform's token", "An administrator must make a new one with the scope 'api'."
            ) from cause
        if status == 403:
            raise self.forbidden() from cause
        if status == TOO_MANY:
            raise self._unreachable("is asked too often", "Try again in a minute.") from cause
        if status is not None and 300 <= status < 400:
            raise self._unreachable(
                "sends the library to another address, where the token must not go",
                "An administrator must configure the address at which GitLab answers itself.",
            ) from cause
        raise self._unreachable("does not answer" if status is None else f"has a fault ({status})") from cause

    def forbidden(self) -> BackendUnreachable:
        """Give the one answer for what the token has no right to."""
        return self._unreachable(
            "does not allow the platform's token to do this",
            "An administrator must give it the scope 'api' and, in the group, the role Maintainer.",
        )

    def _unreachable(self, what: str, fix: str = "Try again later; nothing was lost.") -> BackendUnreachable:
        return BackendUnreachable(f"GitLab at {self.host} {what}.", fix)


def _checked_host(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise SettingsError("The address of GitLab is none.", "Give https://HOST, or https://HOST/PATH.")
    if parts.username is not None or parts.password is not None:
        raise SettingsError("The address of GitLab holds a user name or password.", "Put the token into its file.")
    return parts.hostname


def _masked(text: str, token: str) -> str:
    """GitLab never repeats a token, but what stands in front of it might; names in it may hold line breaks."""
    return ascii(text.replace(token, "…"))[:500]
