"""What calls of models said, until the run ends: a worker that takes it over does not ask again."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("spending", sa.Column("part", sa.Text, nullable=False, server_default=""))
    op.add_column("spending", sa.Column("said", sa.Text, nullable=True))
