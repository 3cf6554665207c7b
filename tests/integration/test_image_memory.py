"""When a workspace's memory is used up, what its owner started goes, and the server stays."""

from contextlib import suppress

from websockets.exceptions import ConnectionClosed

from tests.integration.conftest import Shell
from tests.support.installation import wait_until
from tests.support.kernel import Kernel
from tests.support.people import Person

EATER = """
block = []
while True:
    block.append(bytearray(b"x") * (64 << 20))
"""
SCORES = "for pid in $(pgrep -f '{}'); do cat /proc/$pid/oom_score_adj; done"


def test_a_kernel_that_eats_all_memory_is_ended_and_nothing_else(marie: Person, inside: Shell) -> None:
    """A data frame too large must not cost the terminals, the other notebooks and the way in."""
    marie.ask("POST", "/user/marie/api/terminals", json={"name": "beside"})
    server = inside(marie, "pgrep -f jupyterhub.singleuser | head -1").stdout.strip()
    shell = inside(marie, "pgrep -f 'bash -l' | head -1").stdout.strip()
    kernel = Kernel(marie)
    first = int(kernel.run("import os; print(os.getpid())"))
    with suppress(TimeoutError, ConnectionClosed):  # the kernel that would have answered is gone
        kernel.run(EATER, timeout_s=5)
    wait_until(lambda: inside(marie, f"kill -0 {first}", check=False).returncode, 60, "the end of the kernel")
    assert inside(marie, f"kill -0 {server} && kill -0 {shell}", check=False).returncode == 0
    assert marie.ask("GET", "/user/marie/api/status").status_code == 200
    kernel.close()
    marie.ask("DELETE", "/user/marie/api/terminals/beside")


def test_all_that_people_start_can_be_spared_more_easily_than_the_server(marie: Person, inside: Shell) -> None:
    """Terminals, kernels and twins' programs alike, whoever starts them."""
    marie.ask("POST", "/user/marie/api/terminals", json={"name": "score"})
    kernel = Kernel(marie)
    server = int(inside(marie, SCORES.format("jupyterhub[.]singleuser")).stdout.split()[0])
    script = "#!/bin/sh\\ncat /proc/self/oom_score_adj\\n"
    folder = "/workspace/digital_twins/scores/lifecycle"
    inside(marie, f"mkdir -p {folder} && printf '{script}' > {folder}/execute && chmod +x {folder}/execute")
    assert int(kernel.run("print(open('/proc/self/oom_score_adj').read())")) > server
    assert int(inside(marie, SCORES.format("bash [-]l")).stdout.split()[0]) > server
    started = marie.ask("POST", "/user/marie/twins/scores/runs", json={"phase": "execute"})
    assert started.status_code in (200, 201, 202), started.text

    def said() -> list[str]:
        return inside(marie, "twin logs scores", check=False).stdout.split()

    assert int(wait_until(said, 30, "the run's output")[-1]) > server
    kernel.close()
    inside(marie, "rm -rf /workspace/digital_twins/scores")
    marie.ask("DELETE", "/user/marie/api/terminals/score")
