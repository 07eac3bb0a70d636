"""Releases by when their errors came first."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_index("ix_sightings_release_first_seen", "sightings", ["release", "first_seen"])
    op.create_index("ix_sightings_first_seen", "sightings", ["first_seen"])
