"""What a twin was: recorded inputs and outputs, snapshots, versions, and what is made of them: replays, comparisons, sweeps."""
