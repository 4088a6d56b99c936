"""Promises about data: ODCS contracts, their checks, their verdicts. Imports hub."""
