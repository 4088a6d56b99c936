"""How often the check of a batch was begun."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005_begun"
down_revision: str | None = "0004_quality"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("batch", sa.Column("begun", sa.Integer, nullable=False, server_default="0"))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("batch", "begun")
