"""Where the ledger has the return of a field sample."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007_sample_returns"
down_revision: str | None = "0006_worklist"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; what was returned before is in the ledger and keeps neither."""
    op.add_column("field_sample", sa.Column("ledger_from", sa.BigInteger))
    op.add_column("field_sample", sa.Column("ledger_entry", sa.BigInteger))


def downgrade() -> None:
    """Drop the columns."""
    op.drop_column("field_sample", "ledger_entry")
    op.drop_column("field_sample", "ledger_from")
