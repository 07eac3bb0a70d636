"""What a target is told waits in its outbox: one job drains it, and several reports may be one message."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
_MOVE = """
INSERT INTO jobs (kind, key, payload, state, priority, due_at, attempts, max_attempts, token, owner, error, created_at)
SELECT 'deliver', 'deliver:' || pipeline || ':' || target, json_object('pipeline', pipeline, 'target', target),
       'ready', 10, min(due_at), 0, 1000, 0, '', '', min(created_at)
FROM deliveries WHERE state IN ('waiting', 'failed') GROUP BY pipeline, target
"""


def upgrade() -> None:
    for name in ("due_at", "held", "fallback"):
        op.add_column("deliveries", sa.Column(name, sa.Text, nullable=False, server_default=""))
    for name in ("urgency", "batch"):
        op.add_column("deliveries", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
    op.add_column("deliveries", sa.Column("tried_at", sa.Text, nullable=True))
    op.execute("UPDATE deliveries SET due_at = updated_at, batch = CASE WHEN attempts > 0 THEN id ELSE 0 END")
    place = ["pipeline", "target", "state", "due_at"]
    op.create_index("ix_deliveries_pipeline_target_state_due_at", "deliveries", place)
    op.execute("DELETE FROM jobs WHERE kind = 'deliver'")
    op.execute(_MOVE)
