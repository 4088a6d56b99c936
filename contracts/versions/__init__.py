"""Versions of a contract: what differs, whom it breaks, which one is in use."""
