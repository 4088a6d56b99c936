"""An emergency also names the person behind the account: two accounts of one person are one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010_emergency_person"
down_revision: str | None = "0009_no_partners"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; nothing wrote rows before there was one."""
    with op.batch_alter_table("emergency") as table:
        table.add_column(sa.Column("person", sa.String(64), nullable=False))


def downgrade() -> None:
    """Take the column away again."""
    with op.batch_alter_table("emergency") as table:
        table.drop_column("person")
