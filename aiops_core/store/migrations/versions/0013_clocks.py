"""When the machine was started, by the clock on the wall: a jump of that clock shows."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "clocks",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("begin", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_clocks"),
    )
