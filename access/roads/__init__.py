"""The guard's roads, one a file: each prepares an answer and the entries that must precede it."""
