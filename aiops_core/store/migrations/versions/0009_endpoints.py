"""What the runner knows of the addresses of models."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "endpoints",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("name", "state", "reason", "changed_at")),
        sa.Column("until", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_endpoints"),
    )
