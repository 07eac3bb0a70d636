"""Requests that are open, so that they can be limited."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "requests",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("pipeline", sa.Text, nullable=False),
        _of("incident"),
        _of("run"),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("opened_at", sa.Text, nullable=False),
        sa.Column("closed_at", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_requests"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_requests_pipeline_opened_at", "requests", ["pipeline", "opened_at"])


def _of(what: str) -> sa.Column[int]:
    key = sa.ForeignKey(f"{what}s.id", name=f"fk_requests_{what}_id")
    return sa.Column(f"{what}_id", sa.Integer, key, nullable=False)
