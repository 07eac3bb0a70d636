"""Fixes that were merged, and from which releases an incident's events came."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "sightings",
        _of("incident", "sightings"),
        _text("release"),
        sa.Column("count", sa.Integer, nullable=False),
        _text("first_seen"),
        _text("last_seen"),
        sa.PrimaryKeyConstraint("incident_id", "release", name="pk_sightings"),
    )
    op.create_table(
        "fixes",
        _of("incident", "fixes"),
        _of("run", "fixes"),
        _text("step"),
        _text("commit"),
        _text("state"),
        _text("outcome"),
        sa.Column("rate", sa.Integer, nullable=False),
        _text("merged_at"),
        sa.Column("served_from", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("incident_id", name="pk_fixes"),
    )


def _of(what: str, table: str) -> sa.Column[int]:
    key = sa.ForeignKey(f"{what}s.id", name=f"fk_{table}_{what}_id")
    return sa.Column(f"{what}_id", sa.Integer, key, nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)
