"""Orders to seal uses with their terms, and entries of the ledger that are to be forgotten."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011_seals"
down_revision: str | None = "0010_emergency_person"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "seal_order",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("ground", sa.String(40), nullable=False),
        sa.Column("agency", sa.String(200), nullable=False),
        sa.Column("purposes", sa.JSON, nullable=False),
        sa.Column("case_name", sa.String(64), nullable=False),
    )
    op.create_table(
        "seal_term",
        sa.Column("seal", sa.Integer, sa.ForeignKey("seal_order.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("person", sa.String(64), nullable=False),
        sa.Column("valid_from", _INSTANT, nullable=False),
        sa.Column("valid_to", _INSTANT, nullable=False),
    )
    op.create_table(
        "erasure",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("ground", sa.String(40), nullable=False),
        sa.Column("agency", sa.String(200), nullable=False),
        sa.Column("person", sa.String(64), nullable=False),
        sa.Column("entries", sa.JSON, nullable=False),
    )


def downgrade() -> None:
    """Drop the tables, that which refers to another first."""
    for table in ("erasure", "seal_term", "seal_order"):
        op.drop_table(table)
