"""`python -m realtime.cli`: the command `realtime`."""

from realtime.cli import main

if __name__ == "__main__":
    main(prog_name="realtime")
