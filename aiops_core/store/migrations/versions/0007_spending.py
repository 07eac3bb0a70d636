"""What calls of models took, reserved before each call."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "spending",
        sa.Column("id", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("pipeline", "analyzer", "model", "state")),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("incident_id", "run_id", "tokens")),
        sa.Column("cost", sa.Float),
        sa.Column("reserved_at", sa.Text, nullable=False),
        sa.Column("settled_at", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_spending"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_spending_reserved_at", "spending", ["reserved_at"])
    op.create_index("ix_spending_incident_id", "spending", ["incident_id"])
