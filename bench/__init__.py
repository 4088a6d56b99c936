"""What is measured against whom: `python -m bench [NAME…] [--json] [--residents N]`.

Every row is a ratio measured in one run on one machine, ours and the peer taking turns.
docs/benchmarks.md names the rows.
"""
