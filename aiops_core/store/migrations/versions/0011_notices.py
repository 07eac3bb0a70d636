"""What people were told of each incident, and when an incident was last heard of."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    key = sa.ForeignKey("incidents.id", name="fk_notices_incident_id_incidents")
    op.create_table(
        "notices",
        sa.Column("incident_id", sa.Integer, key, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("state", "severity", "told_at", "acked_by")),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("count", "reminded", "chain_seconds")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("news", "targets", "chain")),
        *(sa.Column(name, sa.Text, nullable=True) for name in ("remind_at", "climb_at", "acked_at")),
        sa.PrimaryKeyConstraint("incident_id", name="pk_notices"),
    )
    op.create_index("ix_notices_remind_at", "notices", ["remind_at"])
    op.create_index("ix_notices_climb_at", "notices", ["climb_at"])
    op.add_column("incidents", sa.Column("heard_at", sa.Text, nullable=False, server_default=""))
    op.execute("UPDATE incidents SET heard_at = max(last_seen, changed_at)")
