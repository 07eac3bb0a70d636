"""What is looked up while there are a hundred thousand incidents and a million jobs has an index."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_index("ix_incidents_last_seen", "incidents", ["last_seen"])
    op.create_index("ix_incidents_fingerprint", "incidents", ["fingerprint"])
    op.create_index("ix_jobs_state_kind_priority_due_at", "jobs", ["state", "kind", "priority", "due_at"])
