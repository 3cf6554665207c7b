"""What the scripts that measure a running platform share."""

import argparse
import statistics
from pathlib import Path

from tests.support.installation import Installation


def read_installation(words: str) -> Installation:
    """Read which installation to measure from the command line."""
    parser = argparse.ArgumentParser(description=words)
    parser.add_argument(
        "--data-dir", type=Path, default=Path("/var/lib/twinhub"), help="data folder of a running platform"
    )
    return Installation(parser.parse_args().data_dir)


def show(name: str, values: list[float], unit: str) -> None:
    """Print median, lowest and highest."""
    middle, low, high = statistics.median(values), min(values), max(values)
    print(f"{name:<44} median {middle:8.2f} {unit:<6} (min {low:.2f}, max {high:.2f}, n={len(values)})", flush=True)
