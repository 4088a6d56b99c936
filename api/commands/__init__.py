"""The groups of `hub` commands, one noun a file."""
