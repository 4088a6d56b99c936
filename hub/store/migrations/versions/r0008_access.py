"""Policies and their changes, grants, emergencies, cases, protected persons, privacy budgets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008_access"
down_revision: str | None = "0007_sample_returns"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_TABLES = (
    "privacy_spend", "protected", "case_member", "case_file", "emergency", "access_grant",
    "access_step", "policy_change", "policy_version",
)  # fmt: skip


def upgrade() -> None:
    """Make the tables."""
    _make_policies()
    _make_steps()
    _make_grants()
    _make_registers()


def downgrade() -> None:
    """Drop the tables, those that refer to others first."""
    for table in _TABLES:
        op.drop_table(table)


def _make_policies() -> None:
    op.create_table(
        "policy_version",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("files", sa.JSON, nullable=False),
        sa.Column("made_at", _INSTANT, nullable=False),
    )
    op.create_table(
        "policy_change",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("digest", sa.String(64), sa.ForeignKey("policy_version.digest"), nullable=False),
        sa.Column("base_digest", sa.String(64)),
        sa.Column("why", sa.String(500), nullable=False),
        sa.Column("proposed_by", sa.String(200), nullable=False),
        sa.Column("proposed_at", _INSTANT, nullable=False),
    )


def _make_steps() -> None:
    op.create_table(
        "access_step",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("about", sa.String(20), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("step_key", sa.String(60), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("active_at", _INSTANT),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("ledger_from", sa.BigInteger, nullable=False),
        sa.Column("entry", sa.BigInteger),
        sa.UniqueConstraint("about", "name", "step_key", name="access_step_once"),
    )
    op.create_index("ix_access_step_entry", "access_step", ["entry"])


def _make_grants() -> None:
    op.create_table(
        "access_grant",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("agency", sa.String(200), nullable=False),
        sa.Column("role", sa.String(200), nullable=False),
        sa.Column("purpose", sa.String(200), nullable=False),
        sa.Column("actions", sa.JSON, nullable=False),
        sa.Column("columns", sa.JSON, nullable=False),
        sa.Column("area", sa.JSON, nullable=False),
        sa.Column("case_name", sa.String(64)),
        sa.Column("basis", sa.String(500), nullable=False),
        sa.Column("valid_from", _INSTANT, nullable=False),
        sa.Column("valid_to", _INSTANT, nullable=False),
        sa.Column("uses_left", sa.Integer),
    )
    op.create_index("access_grant_valid", "access_grant", ["valid_to"])
    op.create_table(
        "emergency",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("agency", sa.String(200), nullable=False),
        sa.Column("purpose", sa.String(200), nullable=False),
        sa.Column("case_name", sa.String(64), nullable=False),
        sa.Column("columns", sa.JSON, nullable=False),
        sa.Column("subject", sa.LargeBinary),
        sa.Column("persons_max", sa.Integer, nullable=False),
        sa.Column("opened_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("review_by", _INSTANT, nullable=False),
    )
    op.create_index("emergency_actor", "emergency", ["actor", "review_by"])


def _make_registers() -> None:
    op.create_table(
        "case_file",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("agency", sa.String(200), nullable=False),
        sa.Column("purposes", sa.JSON, nullable=False),
        sa.Column("opened_at", _INSTANT, nullable=False),
        sa.Column("closes_at", _INSTANT, nullable=False),
    )
    op.create_table(
        "case_member",
        sa.Column(
            "case_name",
            sa.String(64),
            sa.ForeignKey("case_file.name", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("subject", sa.LargeBinary, primary_key=True),
    )
    op.create_table(
        "protected",
        sa.Column("subject", sa.LargeBinary, primary_key=True),
        sa.Column("since", _INSTANT, nullable=False),
        sa.Column("until", _INSTANT),
        sa.Column("registered_by", sa.String(200), nullable=False),
    )
    op.create_table(
        "privacy_spend",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("dataset", sa.String(200), nullable=False),
        sa.Column("period", sa.String(20), nullable=False),
        sa.Column("epsilon_millis", sa.BigInteger, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
    )
    op.create_index("privacy_spend_period", "privacy_spend", ["dataset", "period"])
