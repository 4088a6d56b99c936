"""The worklist of conflicts between departments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006_worklist"
down_revision: str | None = "0005_begun"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "worklist_item",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("department", sa.String(200), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("evidence", sa.String(32), nullable=False),
        sa.Column("datasets", sa.JSON, nullable=False),
        sa.Column("batches", sa.JSON, nullable=False),
        sa.Column("first_version", sa.String(200), nullable=False),
        sa.Column("first_seen_at", instant, nullable=False),
        sa.Column("last_version", sa.String(200), nullable=False),
        sa.Column("last_seen_at", instant, nullable=False),
        sa.Column("resolved_at", instant),
        sa.Column("times_reopened", sa.Integer, nullable=False),
        sa.Column("exported_at", instant),
        sa.Column("conclusion", sa.String(20)),
        sa.Column("concluded_by", sa.String(200)),
        sa.Column("concluded_at", instant),
        sa.Column("handed_from", sa.String(200)),
        sa.Column("remark", sa.LargeBinary),
    )
    op.create_index("worklist_department_state", "worklist_item", ["department", "state"])
    op.create_table(
        "worklist_check",
        sa.Column("version", sa.String(200), primary_key=True),
        sa.Column("checked_at", instant, nullable=False),
        sa.Column("appeared", sa.Integer, nullable=False),
        sa.Column("resolved", sa.Integer, nullable=False),
        sa.Column("reopened", sa.Integer, nullable=False),
        sa.Column("standing", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("worklist_check")
    op.drop_table("worklist_item")
