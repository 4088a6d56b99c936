"""Independent judges of the same rows by the same rules: whoever disagrees has to be explained."""
