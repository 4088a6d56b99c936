"""The verifiable index of the log: which entry carries which tag, and that no other does."""
