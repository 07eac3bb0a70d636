"""A storm of errors: what is only counted is counted as if each had been read."""

import os
import random
import subprocess

import pytest
from sqlalchemy import select
from test_kill import AIOPS, counts

from aiops_core.ingest.committing import Commits
from aiops_core.store import Store, tables
from aiops_core.testing.pipeline import run_pipeline
from aiops_core.text.streaks import Streaks

PIPELINE = """
state: ./state
pipelines:
  p:
    sources:
      - {uses: file, with: {paths: [./storm.log], start: beginning}}
    detectors: [python, levels]
"""
BLOCK = """2026-11-21 07:{minute:02}:{second:02},{part:03} ERROR [w-{worker}] shop: request {request:x} failed
Traceback (most recent call last):
  File "/srv/app/{kind}.py", line 3, in serve
    sell(order)
shop.{kind}Error: order {order} has no stock
"""
RARE = 'Traceback (most recent call last):\n  File "rare.py", line 1, in f\nshop.RareError: one\n'
KINDS = ("Alpha", "Beta", "Gamma")


def storm(count, seed=1):
    chance = random.Random(seed)
    blocks = [
        BLOCK.format(
            minute=number * 3 // count,
            second=chance.randrange(60),
            part=chance.randrange(1000),
            worker=chance.randrange(8),
            request=chance.randrange(1 << 40) | 1 << 39,
            order=chance.randrange(10**6),
            kind=chance.choice(KINDS),
        )
        for number in range(count)
    ]
    return "".join([*blocks[: count // 2], RARE, *blocks[count // 2 :]])


def recorded(directory):
    """Return all that a run wrote of what it counted, without what differs from run to run."""
    with Store.open(directory / "state") as store, store.incidents._read() as connection:
        names = {one.id: one.type for one in store.incidents.list()}
        counted = {
            one.type: (one.count, one.first_seen, one.last_seen, one.severity)
            for one in store.incidents.list()
        }
        minutes = sorted(
            (names[row.incident_id], row.hour, row.minutes)
            for row in connection.execute(select(tables.trends))
        )
        releases = sorted(
            (names[row.incident_id], row.release, row.count, row.first_seen, row.last_seen)
            for row in connection.execute(select(tables.sightings))
        )
        stored = sorted(
            (
                names[row.incident_id],
                row.number,
                row.seen_at,
                row.event.start,
                row.event.end,
                row.event.message,
            )
            for row in connection.execute(select(tables.events))
        )
    return counted, minutes, releases, stored


def test_what_is_only_counted_leaves_behind_what_reading_leaves_behind(tmp_path, monkeypatch):
    text, counted = storm(4000).replace(RARE, "2026-11-21 07:01:30,000 ERROR shop: rare\n" + RARE), []
    follow = Streaks.follow
    pipeline = PIPELINE + "    repository: {url: ./nowhere, release: v3}\n"

    def left_behind(name):
        (tmp_path / name).mkdir()
        run_pipeline(pipeline, {"storm.log": text}, tmp_path / name)
        return recorded(tmp_path / name)

    monkeypatch.setattr(Streaks, "follow", lambda *place: counted.append(follow(*place)) or counted[-1])
    in_streaks = left_behind("streaks")
    monkeypatch.setattr(Streaks, "follow", lambda *place: None)
    one_by_one = left_behind("one by one")
    monkeypatch.setattr(Commits, "count", lambda *known: False)
    expected = left_behind("read")

    assert sum(len(streak) for streak in counted if streak) > 3000
    assert sum(count for count, *_ in expected[0].values()) == 4001
    assert {release for _, release, *_ in expected[2]} == {'{"release": "v3"}'}
    for found in (in_streaks, one_by_one):
        assert found[:3] == expected[:3]
        assert {one[:2] for one in found[3]} == {one[:2] for one in expected[3]}


def test_a_new_error_in_a_storm_is_not_kept_waiting_for_more(tmp_path, monkeypatch):
    waits = []
    seconds = Commits.gathers_for.fget

    def noted(commits):
        waits.append((commits._pending.counting.size, seconds(commits)))
        return waits[-1][1]

    monkeypatch.setattr(Commits, "gathers_for", property(noted))
    run_pipeline(PIPELINE, {"storm.log": storm(1000)}, tmp_path)

    assert max(size for size, _ in waits) > 500
    assert {wait for _, wait in waits} == {0.05}


def test_an_extension_learns_of_every_event(tmp_path):
    extension = """
from pathlib import Path

from aiops_core import Extension


class Ledger(Extension):
    def events_recorded(self, events):
        with Path("ledger").open("a") as ledger:
            ledger.writelines(f"{event.key}\\n" for event in events)
""".replace('Path("ledger")', f'Path("{tmp_path}/ledger")')
    text = PIPELINE + "    extensions: ['./ledger.py:Ledger']\n"

    run_pipeline(text, {"storm.log": storm(1000), "ledger.py": extension}, tmp_path)

    assert len(set((tmp_path / "ledger").read_text().split())) == 1001


def test_what_is_older_than_the_limit_is_counted_and_not_answered(tmp_path):
    text = PIPELINE + "    policy: {max_age: 1m}\n"

    result = run_pipeline(text, {"storm.log": storm(1000)}, tmp_path)

    assert sum(one.count for one in result.incidents) == 1001
    assert [one.type for one in result.incidents if any(r.incident.id == one.id for r in result.reports)] == [
        "shop.RareError"
    ]


@pytest.mark.parametrize("place", ["after_read:6", "in_block:5", "before_commit:2", "after_commit:1"])
def test_a_run_killed_in_a_storm_counts_each_error_once(tmp_path, place):
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    (tmp_path / "storm.log").write_text(storm(30_000))

    killed = subprocess.run(
        [AIOPS, "run", "--once"],
        cwd=tmp_path,
        env={**os.environ, "AIOPS_FAILPOINT": place},
        capture_output=True,
        check=False,
    )
    subprocess.run([AIOPS, "run", "--once"], cwd=tmp_path, capture_output=True, check=True)

    found = counts(tmp_path)
    assert killed.returncode == -9
    assert (sum(found.values()), found["shop.RareError"]) == (30_001, 1)
