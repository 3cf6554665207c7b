"""The git commit of a run's twin: right, quick, and deaf to what the repository would like to have executed."""

import os
import subprocess
from pathlib import Path

import pytest

from lifecycle.commits import find_checkout, read_commit
from lifecycle.models import Run
from lifecycle.places import Places
from lifecycle.runs import Runs

WAIT_S = 20


def git(folder: Path, *words: str) -> str:
    named = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *named, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def twin(make_twin) -> Path:
    folder: Path = make_twin("t", execute="true")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def commit_of_run(runs: Runs) -> str | None:
    run: Run = runs.wait(runs.start("t", "execute").id, WAIT_S)
    assert not (runs.folder(run.id) / ".git-look").exists()
    return run.git_commit


def test_a_clean_twin_is_recorded_by_its_commit(runs: Runs, twin: Path) -> None:
    """With the commit, a result can be had again in a year."""
    assert commit_of_run(runs) == git(twin, "rev-parse", "HEAD")


@pytest.mark.parametrize("change", ["edit", "new file", "removed", "staged", "mode"])
def test_changes_since_the_commit_are_told(runs: Runs, twin: Path, change: str) -> None:
    """A commit that was not what ran would be worse than none."""
    program = twin / "lifecycle" / "execute"
    (twin / "other").write_text("")
    git(twin, "add", ".")
    git(twin, "commit", "-q", "-m", "second")
    if change in ("edit", "staged"):
        program.write_text("#!/bin/sh\n: 2\n")
    if change == "staged":
        git(twin, "add", ".")
    if change == "new file":
        (twin / "model.py").write_text("")
    if change == "removed":
        (twin / "other").unlink()
    if change == "mode":
        (twin / "other").chmod(0o755)
    assert commit_of_run(runs) == git(twin, "rev-parse", "HEAD") + "+changes"


def test_what_git_ignores_is_no_change(runs: Runs, twin: Path) -> None:
    """Caches come and go with each run."""
    (twin / "__pycache__").mkdir()
    (twin / "__pycache__" / "x.pyc").write_text("")
    (twin / ".git" / "info" / "exclude").write_text("*.log\n")
    (twin / "run.log").write_text("")
    assert commit_of_run(runs) == git(twin, "rev-parse", "HEAD")


def test_a_twin_inside_a_larger_repository_answers_for_its_own_folder(runs: Runs, places: Places, make_twin) -> None:
    """Many keep the whole workspace in one repository."""
    make_twin("t", execute="true")
    other = make_twin("u", execute="true")
    git(places.workspace, "init", "-q")
    git(places.workspace, "add", ".")
    git(places.workspace, "commit", "-q", "-m", "first")
    git(places.workspace, "gc", "-q")  # references and objects are packed now
    (other / "new").write_text("")
    assert commit_of_run(runs) == git(places.workspace, "rev-parse", "HEAD")


def test_a_linked_work_tree_has_its_own_commit(runs: Runs, places: Places, twin: Path) -> None:
    """Variants of a twin are kept side by side like this."""
    git(twin, "worktree", "add", "-q", "-b", "variant", str(places.twins / "v"))
    (places.twins / "v" / "lifecycle" / "analyze").write_text("")
    git(places.twins / "v", "add", ".")
    git(places.twins / "v", "commit", "-q", "-m", "variant")
    run = runs.wait(runs.start("v", "execute").id, WAIT_S)
    assert run.git_commit == git(places.twins / "v", "rev-parse", "HEAD") != git(twin, "rev-parse", "HEAD")


def test_without_a_repository_or_a_commit_there_is_none(runs: Runs, make_twin) -> None:
    """Most twins are in no repository, and that is fine."""
    folder = make_twin("t", execute="true")
    assert commit_of_run(runs) is None
    git(folder, "init", "-q")
    assert commit_of_run(runs) is None


def test_a_hostile_repository_gets_nothing_executed(runs: Runs, twin: Path, tmp_path: Path) -> None:
    """A twin copied from the common library brings a stranger's configuration along."""
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/caught\ncat\n")
    trap.chmod(0o755)
    (twin / ".gitattributes").write_text("* filter=evil diff=evil\n")
    git(twin, "add", ".")
    git(twin, "commit", "-q", "-m", "attributes")
    for hook in ("post-index-change", "post-checkout", "pre-commit"):
        (twin / ".git" / "hooks").mkdir(exist_ok=True)
        (twin / ".git" / "hooks" / hook).symlink_to(trap)
    with (twin / ".git" / "config").open("a") as config:
        config.write(
            f"[core]\nfsmonitor = {trap}\nhooksPath = {tmp_path}\nsshCommand = {trap}\npager = {trap}\n"
            f'[filter "evil"]\nclean = {trap}\nsmudge = {trap}\nprocess = {trap}\nrequired = true\n'
            f'[diff "evil"]\ncommand = {trap}\ntextconv = {trap}\n'
            f"[include]\npath = {tmp_path}/more\n[alias]\nstatus = !{trap}\n[extensions]\npartialClone = origin\n"
            f'[remote "origin"]\nurl = ext::{trap}\npromisor = true\nuploadpack = {trap}\n'
        )
    os.utime(twin / "lifecycle" / "execute")  # so that git has to read the file, and would filter it
    commit = commit_of_run(runs)
    assert commit is not None
    assert not (tmp_path / "caught").exists()
    subprocess.run(["git", "status"], cwd=twin, check=False, capture_output=True)
    assert (tmp_path / "caught").exists(), "the trap is a real one"


@pytest.mark.parametrize(
    "head",
    ["ref: refs/../../../../etc/passwd", "ref: /etc/passwd", "", "x" * 100_000, "\x00", "ref: refs/heads/\n", "ref:"],
)
def test_a_head_that_is_none_gives_no_commit(twin: Path, places: Places, head: str) -> None:
    """Whatever stands there, only a checksum comes out."""
    (twin / ".git" / "HEAD").write_text(head)
    checkout = find_checkout(twin, places.workspace)
    assert checkout is not None
    assert read_commit(checkout) is None


def test_a_pipe_in_the_repository_holds_nobody_up(runs: Runs, twin: Path) -> None:
    """Opening a named pipe waits for ever."""
    for name in ("HEAD", "info/exclude", "packed-refs"):
        (twin / ".git" / name).unlink(missing_ok=True)
        os.mkfifo(twin / ".git" / name)
    assert commit_of_run(runs) is None
