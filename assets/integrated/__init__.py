"""One record of each person: golden fields with their sources, conflicts between sources."""
