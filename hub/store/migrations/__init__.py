"""History of the record tables, one revision a file, run by `Records.upgrade`."""
