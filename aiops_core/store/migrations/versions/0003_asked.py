"""Why a plan waits for people, and until when they may say yes."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("plans", sa.Column("why", sa.Text, nullable=False, server_default=""))
    op.add_column("plans", sa.Column("expires_at", sa.Text, nullable=True))
