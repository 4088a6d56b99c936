"""Versions of contracts that data was loaded under."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_contract_versions"
down_revision: str | None = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "contract_version",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("dataset", sa.String(200), nullable=False),
        sa.Column("version", sa.String(200), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("first_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("dataset", "version", name="contract_version_once"),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("contract_version")
