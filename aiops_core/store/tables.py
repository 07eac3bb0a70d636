"""The tables of the state database; ``migrations`` holds how a file comes to have them."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, MetaData, Table, UniqueConstraint
from sqlalchemy.sql.schema import SchemaItem

from aiops_core.notices import Match
from aiops_core.records import Analysis, Change, Event, Evidence, Outcome, Plan, Receipt, Remark, Report
from aiops_core.store.columns import JsonValue, Record, Time, Words
from aiops_core.store.damage import (
    damaged_analysis,
    damaged_event,
    damaged_evidence,
    damaged_match,
    damaged_report,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _table(name: str, *items: SchemaItem) -> Table:
    return Table(name, metadata, *items)


def _numbered(name: str, *items: SchemaItem) -> Table:
    # AUTOINCREMENT: an id that was handed out never comes back, so that fences hold
    number = Column("id", Integer, primary_key=True)
    return Table(name, metadata, number, *items, sqlite_autoincrement=True)


def _key(name: str) -> Column[str]:
    return Column(name, Words, primary_key=True)


def _text(name: str) -> Column[str]:
    return Column(name, Words, nullable=False, default="")


def _number(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, default=0)


def _time(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, Time, nullable=nullable)


def _of(name: str, table: str, *, nullable: bool = False, primary_key: bool = False) -> Column[int]:
    return Column(name, ForeignKey(f"{table}.id"), nullable=nullable, primary_key=primary_key)


checkpoints = _table(
    "checkpoints",
    _key("pipeline"),
    _key("step"),
    _key("stream"),
    Column("position", JsonValue(instead=dict), nullable=False),
    Column("done", JsonValue(instead=list), nullable=False),
    _time("updated_at"),
)
component_states = _table(
    "component_states",
    _key("pipeline"),
    _key("step"),
    Column("state", JsonValue(instead=dict)),
    _time("updated_at"),
)
incidents = _numbered(
    "incidents",
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
    _time("first_seen"),
    _time("last_seen"),
    _text("awaits"),  # reason of the run that the next answerable event causes
    _text("template"),
    _text("place"),
    _time("changed_at"),
    _time("heard_at"),  # by our clock, whatever the log says
    UniqueConstraint("pipeline", "fingerprint"),
    Index(None, "fingerprint"),
    Index(None, "last_seen"),
    Index(None, "state", "last_seen"),
    Index(None, "pipeline", "type"),
)
trends = _table(
    "trends",
    _of("incident_id", "incidents", primary_key=True),
    Column("hour", Time, primary_key=True),
    Column("minutes", JsonValue(instead=dict), nullable=False),  # counts by the minute of the hour
    Index(None, "hour"),
)
sightings = _table(
    "sightings",
    _of("incident_id", "incidents", primary_key=True),
    _key("release"),  # JSON of the attributes that name it, "" where none does
    _number("count"),
    _time("first_seen"),
    _time("last_seen"),
    Index(None, "release", "first_seen"),
    Index(None, "first_seen"),
)
fixes = _table(
    "fixes",
    _of("incident_id", "incidents", primary_key=True),
    _of("run_id", "runs"),
    _text("step"),
    _text("commit"),
    _text("state"),
    Column("outcome", Record(Outcome), nullable=False),
    _number("rate"),
    _time("merged_at"),
    _time("served_from", nullable=True),
)
aliases = _table("aliases", _key("pipeline"), _key("fingerprint"), _of("incident_id", "incidents"))
events = _numbered(
    "events",
    _of("incident_id", "incidents"),
    Column("key", Words, nullable=False, unique=True),
    _number("number"),
    _time("seen_at"),
    Column("event", Record(Event, damaged_event), nullable=False),
    Column("context_after", JsonValue(instead=list)),
    Index(None, "incident_id", "number"),
)
runs = _numbered(
    "runs",
    _of("incident_id", "incidents"),
    _text("pipeline"),
    _text("reason"),
    _text("state"),
    _time("created_at"),
    _time("started_at", nullable=True),
    _time("finished_at", nullable=True),
    Index(None, "incident_id"),
    Index(None, "pipeline", "created_at"),
)
steps = _numbered(
    "steps",
    _of("run_id", "runs"),
    _text("name"),
    _text("component"),
    _text("state"),
    _text("error"),
    _text("result"),
    _time("started_at"),
    _time("finished_at", nullable=True),
    UniqueConstraint("run_id", "name"),
)
evidence = _numbered(
    "evidence",
    _of("run_id", "runs"),
    Column("evidence", Record(Evidence, damaged_evidence), nullable=False),
    Index(None, "run_id"),
)
analyses = _numbered(
    "analyses",
    _of("run_id", "runs"),
    Column("analysis", Record(Analysis, damaged_analysis), nullable=False),
    _text("analyzer"),
    _text("evidence"),  # hash of what it rests on
    _text("model"),
    _number("input_tokens"),
    _number("output_tokens"),
    _number("cache_read_tokens"),
    _number("cache_write_tokens"),
    Column("cost", Float),
    _time("created_at"),
    Index(None, "run_id"),
    Index(None, "created_at"),
)
changes = _table(
    "changes",
    _of("run_id", "runs", primary_key=True),
    Column("change", Record(Change), nullable=False),
    _time("created_at"),
)
plans = _table(
    "plans",
    _of("run_id", "runs", primary_key=True),
    _key("step"),
    Column("plan", Record(Plan), nullable=False),
    _text("hash"),
    _time("created_at"),
    _text("approved_hash"),
    _text("approved_by"),
    _time("approved_at", nullable=True),
    _text("why"),
    _time("expires_at", nullable=True),
)
outcomes = _numbered(
    "outcomes",
    _of("run_id", "runs"),
    _text("step"),
    Column("outcome", Record(Outcome), nullable=False),
    _time("created_at"),
    Index(None, "run_id"),
)
requests = _numbered(
    "requests",
    _text("pipeline"),
    _of("incident_id", "incidents"),
    _of("run_id", "runs"),
    _text("step"),
    _time("opened_at"),
    _time("closed_at", nullable=True),
    Index(None, "pipeline", "opened_at"),
)
spending = _numbered(
    "spending",
    _text("pipeline"),
    _number("incident_id"),  # stays when run and incident change: a day's sum must not
    _number("run_id"),
    _text("analyzer"),
    _text("model"),
    _text("state"),
    _number("tokens"),  # at the most until it is settled
    Column("cost", Float),
    _time("reserved_at"),
    _time("settled_at", nullable=True),
    _text("part"),  # of the run: the first question, or a round of the repair
    Column("said", JsonValue),  # until the run ends
    Index(None, "reserved_at"),
    Index(None, "incident_id"),
)
endpoints = _table(
    "endpoints",
    _key("name"),
    _text("state"),
    _text("reason"),
    _time("changed_at"),
    _time("until", nullable=True),
)
effects = _table(
    "effects",
    _key("pipeline"),
    _key("step"),
    _key("name"),
    _key("key"),
    _of("run_id", "runs"),
    Column("result", JsonValue),
    _time("begun_at"),
    _time("done_at", nullable=True),
)
decisions = _numbered(
    "decisions",
    _of("incident_id", "incidents"),
    _of("run_id", "runs", nullable=True),
    _text("rule"),
    _text("text"),
    _text("setting"),
    _time("at"),
    Index(None, "incident_id"),
)
deliveries = _numbered(
    "deliveries",
    _of("run_id", "runs", nullable=True),
    _of("incident_id", "incidents", nullable=True),
    _text("pipeline"),
    _text("target"),
    _text("key"),
    _text("state"),
    _number("attempts"),
    _number("max_attempts"),
    Column("report", Record(Report, damaged_report), nullable=False),
    _text("error"),
    _time("created_at"),
    _time("updated_at"),
    _time("due_at"),
    _time("wanted_at", nullable=True),
    _number("urgency"),
    _number("batch"),
    _text("held"),
    _text("fallback"),
    UniqueConstraint("pipeline", "target", "key"),
    Index(None, "incident_id"),
    Index(None, "state"),
    Index(None, "pipeline", "target", "state", "due_at"),
)
receipts = _numbered(
    "receipts",
    _of("delivery_id", "deliveries"),
    Column("receipt", Record(Receipt, Receipt), nullable=False),
    _time("at"),
    Index(None, "delivery_id"),
)
notices = _table(
    "notices",
    _of("incident_id", "incidents", primary_key=True),
    _text("state"),
    _text("severity"),
    _time("told_at"),
    _number("count"),
    Column("news", JsonValue(instead=dict), nullable=False),
    Column("targets", JsonValue(instead=list), nullable=False),
    _number("reminded"),
    _time("remind_at", nullable=True),
    Column("chain", JsonValue(instead=list), nullable=False),
    _number("chain_seconds"),
    _time("climb_at", nullable=True),
    _text("acked_by"),
    _time("acked_at", nullable=True),
    Index(None, "remind_at"),
    Index(None, "climb_at"),
)
silences = _numbered(
    "silences",
    Column("match", Record(Match, damaged_match), nullable=False),
    _text("why"),
    _text("by"),
    _time("created_at"),
    _time("ends_at"),
    _number("count"),
    _number("until_resolved"),
    _time("starts_at", nullable=True),
    Index(None, "ends_at"),
)
triage = _table(
    "triage",
    _of("run_id", "runs", primary_key=True),
    _of("incident_id", "incidents"),
    _text("pipeline"),
    _text("service"),
    _text("verdict"),
    _of("part_of", "incidents", nullable=True),
    _time("began_at"),
    _time("until"),
    Index(None, "incident_id"),
    Index(None, "part_of"),
    Index(None, "pipeline", "until"),
)
clocks = _table("clocks", _key("name"), Column("begin", Float, nullable=False))
jobs = _numbered(
    "jobs",
    _text("kind"),
    Column("key", Words, nullable=False, unique=True),
    Column("payload", JsonValue(instead=dict)),
    _text("state"),
    _number("priority"),
    _time("due_at"),
    _number("attempts"),
    _number("max_attempts"),
    _number("token"),
    _text("owner"),
    _time("lease_until", nullable=True),
    _text("error"),
    _time("created_at"),
    Index(None, "state", "kind", "due_at"),
    Index(None, "state", "kind", "priority", "due_at"),
)
faults = _table(
    "faults",
    _key("pipeline"),
    _key("cause"),
    _text("text"),
    _number("count"),
    _time("first_at"),
    _time("last_at"),
    _time("told_at"),
    Column("trail", JsonValue(instead=list)),
)
volumes = _table(
    "volumes",
    _key("pipeline"),
    _key("step"),
    Column("hour", Time, primary_key=True),
    _number("bytes"),
    _number("events"),
    _number("seen"),
    _number("undated"),
    _number("bare"),
    _number("unread"),
)
remarks = _table(
    "remarks",
    _key("pipeline"),
    _key("action"),
    _key("request"),
    _key("comment"),
    Column("remark", Record(Remark), nullable=False),
    _text("digest"),
    _text("wish"),
    _text("state"),
    _text("why"),
    Column("run_id", Integer),  # stays when the run is forgotten: rounds are counted by it
    _time("heard_at"),
    _time("taken_at", nullable=True),
)
webhooks = _table(
    "webhooks",
    _key("pipeline"),
    _key("action"),
    _key("delivery"),
    _time("at"),
)
