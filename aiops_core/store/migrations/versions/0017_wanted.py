"""Since when a target was to have a message, in place of when it was tried first."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.alter_column("deliveries", "tried_at", new_column_name="wanted_at")
