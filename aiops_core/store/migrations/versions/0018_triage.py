"""What was decided about each incident of a storm, and what came up when."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "triage",
        _of("run_id", "runs", nullable=False),
        _of("incident_id", "incidents", nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("pipeline", "service", "verdict")),
        _of("part_of", "incidents", nullable=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("began_at", "until")),
        sa.PrimaryKeyConstraint("run_id", name="pk_triage"),
    )
    op.create_index("ix_triage_incident_id", "triage", ["incident_id"])
    op.create_index("ix_triage_part_of", "triage", ["part_of"])
    op.create_index("ix_triage_pipeline_until", "triage", ["pipeline", "until"])
    op.create_index("ix_runs_pipeline_created_at", "runs", ["pipeline", "created_at"])


def _of(name: str, table: str, *, nullable: bool) -> sa.Column[int]:
    key = sa.ForeignKey(f"{table}.id", name=f"fk_triage_{name}")
    return sa.Column(name, sa.Integer, key, nullable=nullable)
