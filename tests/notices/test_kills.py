"""Killed at each place where something changes on the way of a message, nobody is forgotten and no key changes."""

import logging
import os
import signal
import traceback
from collections import Counter, defaultdict
from itertools import count

import pytest
from long_evening import main

from aiops_core.store import Store

NOTICES = {
    "after_holding": 1,
    "job_taken": 20,
    "job_left": 20,
    "before_queuing": 4,
    "after_queuing": 4,
    "before_notification": 8,
    "after_notification": 2,
    "after_refusal": 8,
}
"""Places on the way of a message, and at which passing to kill there.

Some are passed often, and a job whose worker died five times is given up, by design.
"""


def live(directory, *failpoints):
    """Let an evening pass, killed at each of these places in turn until it is over; return the kills."""
    directory.mkdir()
    for kills in count():
        child = os.fork()
        if child == 0:
            _live_on(directory, failpoints[kills % len(failpoints)] if failpoints else "")
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status == 0:
            return kills
        assert status == -signal.SIGKILL, (directory / "trouble").read_text()


def _live_on(directory, failpoint):
    os.environ["AIOPS_FAILPOINT"] = failpoint
    logging.disable()
    code = 1
    try:
        main(directory)
        code = 0
    finally:
        (directory / "trouble").write_text(traceback.format_exc())
        os._exit(code)


def told(directory):
    return Counter((directory / "told").read_text().splitlines())


def ended(directory):
    """Return how each report ended at each target, and the keys of the messages that carried them."""
    with Store.open(directory / "state") as store:
        rows = store.deliveries.list(limit=10_000)
    batches = defaultdict(list)
    for row in rows:
        if row.state == "sent":
            batches[row.target, row.batch].append(row)
    keys = {
        f"{target} {min(found, key=lambda row: row.id).key}"
        if len(found) == 1
        else f"{target} digest/shop/{target}/{batch}"
        for (target, batch), found in batches.items()
    }
    return {(row.target, row.key): row.state for row in rows if row.report.kind != "fault"}, keys


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    directory = tmp_path_factory.mktemp("undisturbed") / "evening"
    assert live(directory) == 0
    return ended(directory)[0]


def check(directory, undisturbed, kills):
    reports, keys = ended(directory)
    found = told(directory)
    twice = sum(found.values()) - len(found)
    print(f"kills={kills} reports={len(reports)} messages={len(found)} twice={twice}")
    assert reports == undisturbed
    assert set(found) == keys
    return twice


def test_killed_at_every_place_in_turn_each_report_reaches_each_target_and_no_key_changes(
    tmp_path, undisturbed
):
    kills = live(tmp_path / "evening", *(f"{name}:{often}" for name, often in NOTICES.items()))

    twice = check(tmp_path / "evening", undisturbed, kills)

    assert kills >= len(NOTICES)
    assert twice <= kills


@pytest.mark.full
@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("name", NOTICES)
def test_killed_again_and_again_at_one_place_a_message_comes_twice_only_where_it_was_sent_and_not_noted(
    tmp_path, undisturbed, name, times
):
    kills = live(tmp_path / "evening", f"{name}:{NOTICES[name] * times}")

    twice = check(tmp_path / "evening", undisturbed, kills)

    assert kills > 0
    assert twice <= (kills if name == "after_notification" else 0)
