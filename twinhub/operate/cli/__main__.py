"""`python -m twinhub.operate.cli`."""

from twinhub.operate.cli import main

main()
