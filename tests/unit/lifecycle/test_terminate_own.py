"""A twin whose own program ends execute was stopped; it has not failed."""

from lifecycle.models import RunState
from lifecycle.runs import Runs
from lifecycle.terminate import REASON, terminate
from tests.unit.lifecycle.test_runs import wait_for_output


def test_execute_that_the_twins_own_terminate_ended_is_stopped_not_failed(runs: Runs, make_twin) -> None:
    """A red badge after a wanted stop would send people looking for a mistake."""
    make_twin("t", execute="echo $$ > pid; echo ready; exec sleep 60", terminate="kill $(cat pid)")
    run = runs.start("t", "execute")
    wait_for_output(runs, run, "ready")
    ended = terminate(runs, "t").runs[-1]
    assert (ended.state, ended.reason, ended.exit_code) == (RunState.STOPPED, REASON, 143)


def test_an_execute_that_failed_by_itself_stays_failed(runs: Runs, make_twin) -> None:
    """Only what was asked to end counts as stopped."""
    make_twin("t", execute="exit 3")
    run = runs.start("t", "execute")
    assert runs.wait(run.id, 20).state is RunState.FAILED
