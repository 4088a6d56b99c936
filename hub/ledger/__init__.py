"""The tamper-evident record of every use (RFC 9162 tree, C2SP checkpoints)."""
