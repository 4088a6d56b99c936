"""Where the hub keeps things: the lake, serving snapshots, operational records."""
