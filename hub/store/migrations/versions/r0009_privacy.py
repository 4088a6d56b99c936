"""What analysts have spent of their privacy budgets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009_privacy"
down_revision: str | None = "0007_sample_returns"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; nothing has been spent."""
    op.create_table(
        "privacy_spend",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("dataset", sa.String(200), nullable=False),
        sa.Column("period", sa.String(200), nullable=False),
        sa.Column("epsilon_millis", sa.Integer, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("privacy_spend_budget", "privacy_spend", ["actor", "dataset", "period"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_index("privacy_spend_budget", "privacy_spend")
    op.drop_table("privacy_spend")
