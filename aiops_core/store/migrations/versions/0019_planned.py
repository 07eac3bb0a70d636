"""When a silence begins that was set for later."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.add_column("silences", sa.Column("starts_at", sa.Text))
