"""The Dagster code location: from a partner's file to a published snapshot. Imports hub, contracts."""
