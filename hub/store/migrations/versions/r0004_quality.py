"""Facts of accuracy: what a rule is, agreement between departments, samples checked in the field."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004_quality"
down_revision: str | None = "0003_cards"
branch_labels = None
depends_on = None


def _rule_facts() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("kind", sa.String(200)),
        sa.Column("key_field", sa.Boolean),
        sa.Column("by_row", sa.Boolean),
        sa.Column("passed", sa.Boolean),
    )


def upgrade() -> None:
    """Add the columns and tables; what was recorded before keeps them empty."""
    op.add_column("batch", sa.Column("accuracy_failing", sa.BigInteger))
    for column in _rule_facts():
        op.add_column("batch_check", column)
    op.create_table(
        "agreement",
        sa.Column("version", sa.String(200), primary_key=True),
        sa.Column("scope", sa.String(20), primary_key=True),
        sa.Column("field", sa.String(200), primary_key=True),
        sa.Column("one", sa.String(200), primary_key=True),
        sa.Column("other", sa.String(200), primary_key=True),
        sa.Column("compared", sa.BigInteger, nullable=False),
        sa.Column("agreeing", sa.BigInteger, nullable=False),
    )
    _samples()


def _samples() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "field_sample",
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("dataset", sa.String(200), nullable=False),
        sa.Column("department", sa.String(200), nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("version", sa.String(200), nullable=False),
        sa.Column("digits", sa.Integer, nullable=False),
        sa.Column("seed", sa.String(200), nullable=False),
        sa.Column("drawn_by", sa.String(200), nullable=False),
        sa.Column("case_ref", sa.String(200), nullable=False),
        sa.Column("population", sa.BigInteger, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("drawn_at", instant, nullable=False),
        sa.Column("returned_at", instant),
    )
    op.create_index("field_sample_dataset", "field_sample", ["dataset", "returned_at"])
    owner = sa.ForeignKey("field_sample.id", ondelete="CASCADE")
    op.create_table(
        "field_stratum",
        sa.Column("sample_id", sa.String(200), owner, primary_key=True),
        sa.Column("stratum", sa.String(200), primary_key=True),
        sa.Column("population", sa.BigInteger, nullable=False),
        sa.Column("drawn", sa.Integer, nullable=False),
        sa.Column("agreed", sa.Integer),
        sa.Column("wrong", sa.Integer),
        sa.Column("unreachable", sa.Integer),
        sa.Column("wrong_by_field", sa.JSON),
    )


def downgrade() -> None:
    """Take them away again."""
    for table in ("field_stratum", "field_sample", "agreement"):
        op.drop_table(table)
    with op.batch_alter_table("batch_check") as checks:
        for column in _rule_facts():
            checks.drop_column(column.name)
    with op.batch_alter_table("batch") as batch:
        batch.drop_column("accuracy_failing")
