"""Counts of incidents by the minute."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "trends",
        sa.Column(
            "incident_id",
            sa.Integer,
            sa.ForeignKey("incidents.id", name="fk_trends_incident_id"),
            nullable=False,
        ),
        sa.Column("hour", sa.Text, nullable=False),
        sa.Column("minutes", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "hour", name="pk_trends"),
    )
    op.create_index("ix_trends_hour", "trends", ["hour"])
