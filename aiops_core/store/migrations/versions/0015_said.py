"""Silences that last until what they hide is resolved, what was decided about failures of aiops, volumes of logs."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("silences", sa.Column("until_resolved", sa.Integer, nullable=False, server_default="0"))
    op.add_column("faults", sa.Column("trail", sa.Text, nullable=True))
    op.create_table(
        "volumes",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("pipeline", "step", "hour")),
        *(
            sa.Column(name, sa.Integer, nullable=False)
            for name in ("bytes", "events", "seen", "undated", "bare", "unread")
        ),
        sa.PrimaryKeyConstraint("pipeline", "step", "hour", name="pk_volumes"),
    )
