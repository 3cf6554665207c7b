"""Two runs are compared by what is known of them."""

from lifecycle.places import Places
from lifecycle.runs import Runs
from lifecycle.state.comparing import compare_runs
from lifecycle.state.manifests import Entry, read_manifest, write_manifest
from lifecycle.state.trees import Kind


def test_files_that_nobody_has_read_are_not_called_the_same(places: Places, runs: Runs, make_twin) -> None:
    """A file of a hundred gigabytes is no reason to believe in a result that was never compared."""
    make_twin("t", execute="echo 1 > $TWIN_OUTPUTS/huge")
    ids = [runs.wait(runs.start("t", "execute").id, 30).id for _ in range(2)]
    assert not compare_runs(places, runs, *ids).differs
    for run_id in ids:
        for name, path in (("inputs.json", "digital_twins/t/lifecycle/execute"), ("outputs.json", "data/t/huge")):
            manifest = read_manifest(places.runs / run_id / name)
            manifest.files[path] = Entry(Kind.FILE, 1, problem="not read: larger than 64 GiB")
            write_manifest(places.runs / run_id / name, manifest)
    found = compare_runs(places, runs, *ids)
    assert found.differs
    assert "digital_twins/t/lifecycle/execute" in [each.name for each in found.inputs]
    assert [(each.verdict, each.note) for each in found.outputs] == [
        ("different", "perhaps not: not read: larger than 64 GiB")
    ]
