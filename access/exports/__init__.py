"""Usage records in the forms of published standards, one a module; pure."""
