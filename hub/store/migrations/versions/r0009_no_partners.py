"""Departments are those of the register of agencies: the table that nothing filled goes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009_no_partners"
down_revision: str | None = "0008_access"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drop the table."""
    op.drop_table("partner")


def downgrade() -> None:
    """Make it again, empty as it was."""
    op.create_table(
        "partner",
        sa.Column("code", sa.String(200), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("fingerprint", sa.String(200)),
    )
