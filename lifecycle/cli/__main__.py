"""`python -m lifecycle.cli`: the command where it is not installed."""

from lifecycle.cli import main

main()
