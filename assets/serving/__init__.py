"""Publishing: one snapshot of what may be served, switched in one step."""
