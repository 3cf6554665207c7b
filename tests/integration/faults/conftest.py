"""People that only these tests need."""

from collections.abc import Iterator

import pytest

from tests.support.installation import Installation
from tests.support.people import Person, make_person


@pytest.fixture(scope="module")
def root(installation: Installation) -> Iterator[Person]:
    """An administrator of one's own, as the first one's password may have been changed."""
    installation.twinhub(
        "user", "add", "faults-root", "--admin", "--password-stdin", given="administrator 1\n", check=False
    )
    person = make_person(installation, "faults-root")
    yield person
    # A removed account keeps its name until it is purged, and the next module wants it again.
    installation.twinhub("user", "remove", person.name, "--yes")
    installation.twinhub("user", "purge", person.name, "--yes")
    person.http.close()


@pytest.fixture(scope="module")
def toy(installation: Installation) -> Iterator[Person]:
    """Somebody with an account whose workspace never runs, for requests that may change them."""
    person = make_person(installation, "faults-toy")
    yield person
    # A removed account keeps its name until it is purged, and the next module wants it again.
    installation.twinhub("user", "remove", person.name, "--yes")
    installation.twinhub("user", "purge", person.name, "--yes")
    person.http.close()
