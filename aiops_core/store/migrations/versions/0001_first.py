"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _ingested()
    _runs()
    _effects()
    _machinery()


def _ingested() -> None:
    op.create_table(
        "checkpoints",
        _text("pipeline"),
        _text("step"),
        _text("stream"),
        _text("position"),
        _text("done"),
        _text("updated_at"),
        sa.PrimaryKeyConstraint("pipeline", "step", "stream", name="pk_checkpoints"),
    )
    op.create_table(
        "component_states",
        _text("pipeline"),
        _text("step"),
        _text("state", nullable=True),
        _text("updated_at"),
        sa.PrimaryKeyConstraint("pipeline", "step", name="pk_component_states"),
    )
    op.create_table(
        "incidents",
        _id(),
        _text("pipeline"),
        _text("fingerprint"),
        _text("title"),
        _text("type"),
        _text("message"),
        _text("language"),
        _text("severity"),
        _text("state"),
        _number("count"),
        _number("stored"),
        _text("first_seen"),
        _text("last_seen"),
        _text("awaits"),
        _text("template"),
        _text("place"),
        _text("changed_at"),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
        sa.UniqueConstraint("pipeline", "fingerprint", name="uq_incidents_pipeline_fingerprint"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incidents_pipeline_type", "incidents", ["pipeline", "type"])
    op.create_index("ix_incidents_state_last_seen", "incidents", ["state", "last_seen"])
    op.create_table(
        "aliases",
        _text("pipeline"),
        _text("fingerprint"),
        _reference("aliases", "incident_id", "incidents"),
        sa.PrimaryKeyConstraint("pipeline", "fingerprint", name="pk_aliases"),
    )
    op.create_table(
        "events",
        _id(),
        _reference("events", "incident_id", "incidents"),
        _text("key"),
        _number("number"),
        _text("seen_at"),
        _text("event"),
        _text("context_after", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sa.UniqueConstraint("key", name="uq_events_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_incident_id_number", "events", ["incident_id", "number"])


def _runs() -> None:
    op.create_table(
        "runs",
        _id(),
        _reference("runs", "incident_id", "incidents"),
        _text("pipeline"),
        _text("reason"),
        _text("state"),
        _text("created_at"),
        _text("started_at", nullable=True),
        _text("finished_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_runs_incident_id", "runs", ["incident_id"])
    op.create_table(
        "steps",
        _id(),
        _reference("steps", "run_id", "runs"),
        _text("name"),
        _text("component"),
        _text("state"),
        _text("error"),
        _text("result"),
        _text("started_at"),
        _text("finished_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_steps"),
        sa.UniqueConstraint("run_id", "name", name="uq_steps_run_id_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "evidence",
        _id(),
        _reference("evidence", "run_id", "runs"),
        _text("evidence"),
        sa.PrimaryKeyConstraint("id", name="pk_evidence"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_evidence_run_id", "evidence", ["run_id"])
    op.create_table(
        "analyses",
        _id(),
        _reference("analyses", "run_id", "runs"),
        _text("analysis"),
        _text("analyzer"),
        _text("model"),
        _number("input_tokens"),
        _number("output_tokens"),
        _number("cache_read_tokens"),
        _number("cache_write_tokens"),
        sa.Column("cost", sa.Float),
        _text("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_analyses"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_analyses_created_at", "analyses", ["created_at"])
    op.create_index("ix_analyses_run_id", "analyses", ["run_id"])
    op.create_table(
        "changes",
        _reference("changes", "run_id", "runs"),
        _text("change"),
        _text("created_at"),
        sa.PrimaryKeyConstraint("run_id", name="pk_changes"),
    )
    op.create_table(
        "decisions",
        _id(),
        _reference("decisions", "incident_id", "incidents"),
        _reference("decisions", "run_id", "runs", nullable=True),
        _text("rule"),
        _text("text"),
        _text("setting"),
        _text("at"),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_decisions_incident_id", "decisions", ["incident_id"])


def _effects() -> None:
    op.create_table(
        "plans",
        _reference("plans", "run_id", "runs"),
        _text("step"),
        _text("plan"),
        _text("hash"),
        _text("created_at"),
        _text("approved_hash"),
        _text("approved_by"),
        _text("approved_at", nullable=True),
        sa.PrimaryKeyConstraint("run_id", "step", name="pk_plans"),
    )
    op.create_table(
        "outcomes",
        _id(),
        _reference("outcomes", "run_id", "runs"),
        _text("step"),
        _text("outcome"),
        _text("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_outcomes"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outcomes_run_id", "outcomes", ["run_id"])
    op.create_table(
        "effects",
        _text("pipeline"),
        _text("step"),
        _text("name"),
        _text("key"),
        _reference("effects", "run_id", "runs"),
        _text("result", nullable=True),
        _text("begun_at"),
        _text("done_at", nullable=True),
        sa.PrimaryKeyConstraint("pipeline", "step", "name", "key", name="pk_effects"),
    )
    op.create_table(
        "deliveries",
        _id(),
        _reference("deliveries", "run_id", "runs", nullable=True),
        _reference("deliveries", "incident_id", "incidents", nullable=True),
        _text("pipeline"),
        _text("target"),
        _text("key"),
        _text("state"),
        _number("attempts"),
        _number("max_attempts"),
        _text("report"),
        _text("error"),
        _text("created_at"),
        _text("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("pipeline", "target", "key", name="uq_deliveries_pipeline_target_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deliveries_incident_id", "deliveries", ["incident_id"])
    op.create_index("ix_deliveries_state", "deliveries", ["state"])
    op.create_table(
        "receipts",
        _id(),
        _reference("receipts", "delivery_id", "deliveries"),
        _text("receipt"),
        _text("at"),
        sa.PrimaryKeyConstraint("id", name="pk_receipts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_receipts_delivery_id", "receipts", ["delivery_id"])


def _machinery() -> None:
    op.create_table(
        "jobs",
        _id(),
        _text("kind"),
        _text("key"),
        _text("payload", nullable=True),
        _text("state"),
        _number("priority"),
        _text("due_at"),
        _number("attempts"),
        _number("max_attempts"),
        _number("token"),
        _text("owner"),
        _text("lease_until", nullable=True),
        _text("error"),
        _text("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.UniqueConstraint("key", name="uq_jobs_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_jobs_state_kind_due_at", "jobs", ["state", "kind", "due_at"])
    op.create_table(
        "faults",
        _text("pipeline"),
        _text("cause"),
        _text("text"),
        _number("count"),
        _text("first_at"),
        _text("last_at"),
        _text("told_at"),
        sa.PrimaryKeyConstraint("pipeline", "cause", name="pk_faults"),
    )


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, nullable=False)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _reference(table: str, name: str, to: str, *, nullable: bool = False) -> sa.Column[int]:
    key = sa.ForeignKey(f"{to}.id", name=f"fk_{table}_{name}")
    return sa.Column(name, sa.Integer, key, nullable=nullable)
