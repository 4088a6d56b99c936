"""Usage records in the forms of published standards."""
