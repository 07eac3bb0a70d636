"""What an analysis rests on, so that it can be used again."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("analyses", sa.Column("evidence", sa.Text, nullable=False, server_default=""))
