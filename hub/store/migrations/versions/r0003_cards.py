"""Attempts to deliver, quality cards: what was done about them and what the ledger was told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_cards"
down_revision: str | None = "0002_contract_versions"
branch_labels = None
depends_on = None

_SETTLED = """
INSERT INTO batch_attempt (batch_id, attempt, dataset, partner, period, landed_at, settled_at,
    outcome, rows, quarantined, key_accuracy, overall, meets_contract, reason)
SELECT id, attempt, dataset, partner, period, CASE WHEN attempt = 1 THEN landed_at ELSE
    delivered_at END, CASE WHEN status IN ('stopped', 'loaded', 'published', 'refused')
    THEN COALESCE(checked_at, delivered_at) END,
    CASE WHEN status = 'published' THEN 'loaded'
         WHEN status IN ('stopped', 'loaded', 'refused') THEN status END,
    rows, quarantined, key_accuracy, overall, passed, SUBSTR(reason, 1, 1000)
FROM batch
"""


def upgrade() -> None:
    """Make the tables; the latest attempt of every batch is known already."""
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "batch_attempt",
        sa.Column(
            "batch_id",
            sa.String(200),
            sa.ForeignKey("batch.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("attempt", sa.Integer, primary_key=True),
        sa.Column("dataset", sa.String(200), nullable=False),
        sa.Column("partner", sa.String(200), nullable=False),
        sa.Column("period", sa.String(200)),
        sa.Column("landed_at", instant, nullable=False),
        sa.Column("settled_at", instant),
        sa.Column("outcome", sa.String(20)),
        sa.Column("rows", sa.BigInteger),
        sa.Column("quarantined", sa.BigInteger),
        sa.Column("key_accuracy", sa.Float),
        sa.Column("overall", sa.Float),
        sa.Column("meets_contract", sa.Boolean),
        sa.Column("reason", sa.String(1000)),
    )
    op.execute(_SETTLED)
    op.create_table(
        "dataset_watch",
        sa.Column("dataset", sa.String(200), primary_key=True),
        sa.Column("since", sa.Date, nullable=False),
    )
    op.create_table(
        "card_act",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("card", sa.String(40), nullable=False),
        sa.Column("act", sa.String(20), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("until", sa.Date),
        sa.Column("granted", sa.Boolean),
        sa.Column("at", instant, nullable=False),
    )
    op.create_index("ix_card_act_card", "card_act", ["card"])
    op.create_table(
        "card_step",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("card", sa.String(40), nullable=False),
        sa.Column("step_key", sa.String(60), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("ledger_from", sa.BigInteger, nullable=False),
        sa.Column("entry", sa.BigInteger),
        sa.UniqueConstraint("card", "step_key", name="card_step_once"),
    )
    op.create_index("ix_card_step_entry", "card_step", ["entry"])
