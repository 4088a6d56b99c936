"""Partners, batches, their verdicts, and publications."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "partner",
        sa.Column("code", sa.String(200), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("fingerprint", sa.String(200)),
    )
    _batch()
    op.create_table(
        "batch_check",
        _batch_id(),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("rule", sa.String(200), nullable=False),
        sa.Column("columns", sa.JSON, nullable=False),
        sa.Column("severity", sa.String(20), nullable=False),
        sa.Column("dimension", sa.String(40), nullable=False),
        sa.Column("title", sa.String(1000), nullable=False),
        sa.Column("remedy", sa.String(1000), nullable=False),
        sa.Column("failing", sa.BigInteger, nullable=False),
        sa.Column("evaluated", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "batch_change",
        _batch_id(),
        sa.Column("column_name", sa.String(200), primary_key=True),
        sa.Column("transform", sa.String(200), primary_key=True),
        sa.Column("changed", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "publication",
        sa.Column("version", sa.String(200), primary_key=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lake_snapshot", sa.BigInteger),
    )
    op.create_table(
        "publication_batch",
        sa.Column(
            "version",
            sa.String(200),
            sa.ForeignKey("publication.version", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("batch_id", sa.String(200), sa.ForeignKey("batch.id"), primary_key=True),
    )


def _batch_id() -> sa.Column[str]:
    owner = sa.ForeignKey("batch.id", ondelete="CASCADE")
    return sa.Column("batch_id", sa.String(200), owner, primary_key=True)


def _batch() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "batch",
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("dataset", sa.String(200), nullable=False),
        sa.Column("partner", sa.String(200), nullable=False),
        sa.Column("period", sa.String(200)),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("mode", sa.String(200), nullable=False),
        sa.Column("declared", sa.JSON, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(4000)),
        sa.Column("format", sa.String(200)),
        sa.Column("encoding", sa.String(200)),
        sa.Column("rows", sa.BigInteger),
        sa.Column("accepted", sa.BigInteger),
        sa.Column("quarantined", sa.BigInteger),
        sa.Column("key_accuracy", sa.Float),
        sa.Column("overall", sa.Float),
        sa.Column("passed", sa.Boolean),
        sa.Column("verdict", sa.JSON),
        sa.Column("landed_at", instant, nullable=False),
        sa.Column("delivered_at", instant, nullable=False),
        sa.Column("recorded_at", instant),
        sa.Column("checked_at", instant),
        sa.Column("loaded_at", instant),
        sa.Column("published_at", instant),
        sa.Column("published_version", sa.String(200)),
        sa.UniqueConstraint("partner", "dataset", "sha256", name="batch_content"),
    )
    op.create_index("batch_dataset_status", "batch", ["dataset", "status"])


def downgrade() -> None:
    """Drop the tables."""
    for table in (
        "publication_batch", "publication", "batch_change", "batch_check", "batch", "partner",
    ):  # fmt: skip
        op.drop_table(table)
