"""Repositories say by their revision that something changed; the index follows."""

import pytest

from libms.errors import BackendUnreachable
from libms.index import Index, Indexer, remote
from tests.support.indexed import Library, soon


class Repositories(Library):
    """The same files as if they came from repositories: each owner has a revision, and nothing is watched."""

    def start(self, *, ready: bool = True) -> None:
        self.revisions = dict.fromkeys(self.backend.owners(), "1")
        self.unreachable: set[str] = set()
        self.walks = 0
        self.backend.revision = self.revision  # type: ignore[method-assign]
        self.index = Index(self.file)
        self.indexer = Indexer(self.backend, self.index)
        self.indexer.start()
        if ready:
            assert self.indexer.wait_until_ready(30)

    def revision(self, owner: str) -> str | None:
        if owner in self.unreachable:
            raise BackendUnreachable("The repository does not answer.", "Try again later.")
        return self.revisions.get(owner, "1")


@pytest.fixture
def repositories(library: Library, monkeypatch: pytest.MonkeyPatch) -> Repositories:
    monkeypatch.setattr(remote, "ASK_EVERY_S", 0.1)
    library.__class__ = Repositories
    assert isinstance(library, Repositories)
    return library


def test_a_new_revision_is_compared_and_an_old_one_is_not(repositories: Repositories) -> None:
    """Walking through repositories costs their server and the network."""
    repositories.write("alice/models/m/README.md", "---\ntags: [mechanics]\n---\n# Oscillator")
    repositories.write("alice/models/m/sub/part.fmu", "123")
    repositories.start()
    assert repositories.found("oscillator") == ["alice/models/m"]
    assert repositories.found("part", inside=True) == ["alice/models/m/sub/part.fmu"]
    size = repositories.index.usage("alice")
    repositories.write("bob/data/unannounced.csv")
    repositories.shell("rm -r alice/models/m/sub && mkdir alice/data/n && touch alice/data/n/x")
    repositories.write("alice/models/m/README.md", "# Pendulum")
    repositories.revisions["alice"] = "2"
    soon(lambda: repositories.found("pendulum") == ["alice/models/m"])
    assert repositories.found("part", inside=True) == repositories.found("oscillator") == []
    assert repositories.found("n", "alice") == ["alice/data/n"]
    assert repositories.index.usage("alice") == len("# Pendulum") < size
    assert repositories.found("unannounced") == []


def test_one_repository_that_does_not_answer_stops_no_other(
    repositories: Repositories, caplog: pytest.LogCaptureFixture
) -> None:
    """A colleague's server is down; everybody else goes on, and the log says so once."""
    repositories.write("alice/data/kept.csv")
    repositories.start()
    repositories.unreachable.add("alice")
    soon(lambda: "the index of alice waits" in caplog.text)
    repositories.write("bob/data/new.csv")
    repositories.revisions["bob"] = "2"
    soon(lambda: repositories.found("new") == ["bob/data/new.csv"])
    assert repositories.found("kept") == ["alice/data/kept.csv"]
    assert caplog.text.count("the index of alice waits") == 1
    repositories.unreachable.clear()
    repositories.write("alice/data/again.csv")
    repositories.revisions["alice"] = "2"
    repositories.changed("alice/data/again.csv")
    soon(lambda: repositories.found("again"))


def test_owners_that_leave_are_taken_out(repositories: Repositories) -> None:
    """A group's project is deleted."""
    repositories.write("bob/data/deep/er/file.csv")
    repositories.start()
    repositories.shell("rm -r bob")
    soon(lambda: repositories.found("", "bob") == [])


def test_a_restart_asks_only_for_revisions(repositories: Repositories) -> None:
    """A hundred repositories are not walked through at every start."""
    repositories.write("alice/data/kept.csv")
    repositories.start()
    repositories.stop()
    repositories.write("alice/data/unannounced.csv")
    repositories.start()
    assert repositories.found("", "alice") == ["alice/data/kept.csv"]


def test_a_deleted_index_is_filled_again(repositories: Repositories) -> None:
    """The file is only a cache here, too."""
    repositories.write("alice/data/kept.csv")
    repositories.start()
    for file in repositories.file.parent.iterdir():
        file.unlink()
    soon(lambda: repositories.index.database.generation == 1)
    soon(lambda: repositories.found("kept") == ["alice/data/kept.csv"])
