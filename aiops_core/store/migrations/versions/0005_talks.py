"""What people said on requests, and which webhooks came."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "remarks",
        *(_text(name) for name in ("pipeline", "action", "request", "comment")),
        *(_text(name) for name in ("remark", "digest", "wish", "state", "why")),
        sa.Column("run_id", sa.Integer, nullable=True),
        _text("heard_at"),
        _text("taken_at", nullable=True),
        sa.PrimaryKeyConstraint("pipeline", "action", "request", "comment", name="pk_remarks"),
    )
    op.create_table(
        "webhooks",
        *(_text(name) for name in ("pipeline", "action", "delivery", "at")),
        sa.PrimaryKeyConstraint("pipeline", "action", "delivery", name="pk_webhooks"),
    )


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)
