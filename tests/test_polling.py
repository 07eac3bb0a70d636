"""A query source reads each entry once: whatever arrives late, and wherever it is killed."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops_core import Found, PolledSource, PollingConfig, Retry, UserError, parse_retry_after
from aiops_core.polling import recent
from aiops_core.polling.recent import Recent
from aiops_core.testing.polling import PolledReader, SimulatedTime

BEGIN = datetime(2026, 11, 21, 7, tzinfo=UTC)
SECOND = 10**9
EPOCH = int(BEGIN.timestamp()) * SECOND
UNBOUNDED = {"start": "2026-11-21T06:59:00Z", "interval": "7s", "end": 900}


@dataclass(frozen=True)
class Entry:
    name: str
    time: float
    arrival: float

    @property
    def nanoseconds(self):
        return EPOCH + round(self.time * 10) * SECOND // 10


class Shelf(PolledSource[PollingConfig]):
    """A service in memory."""

    def __init__(self, config, context, entries, *, counts=False, failures=None, most_pages=0):
        super().__init__(config, context)
        self.entries = entries
        self.counts = counts
        self.failures = failures if failures is not None else []
        self.asked = []
        self.most_pages = most_pages
        self.pages = 0

    def find(self, since, until):
        self.asked.append(((since - EPOCH) / SECOND, (until - EPOCH) / SECOND))
        if self.failures:
            raise self.failures.pop(0)
        there = sorted(self._there(since, until), key=lambda entry: (entry.time, hash((entry.name, since))))
        size = self.config.page_size
        for at in range(0, len(there), size):
            self.pages += 1
            if self.most_pages and self.pages % self.most_pages == 0:
                raise Retry("not now", after=1)
            yield [
                Found(entry.nanoseconds, entry.name, f"{entry.name}\n".encode())
                for entry in there[at : at + size]
            ]

    def count(self, since, until):
        return len(self._there(since, until)) if self.counts else None

    def _there(self, since, until):
        now = (self.context.clock() - BEGIN).total_seconds()
        return [one for one in self.entries if since <= one.nanoseconds < until and one.arrival <= now]


def reader(entries, *, end=600, once=False, began=100, counts=False, failures=None, most_pages=0, **options):
    config = PollingConfig(**{"start": "100s", "late": "40s", "delay": "3s", "page_size": 2, **options})
    time = SimulatedTime(BEGIN + timedelta(seconds=began), BEGIN + timedelta(seconds=end))
    return PolledReader(
        lambda context: Shelf(
            config, context, entries, counts=counts, failures=failures, most_pages=most_pages
        ),
        time,
        once=once,
    )


def names(text):
    return text.decode().splitlines()


@st.composite
def arriving(draw):
    """Entries with few different times, which arrive up to 40 s after them."""
    times = draw(st.lists(st.integers(0, 300), max_size=30))
    return [
        Entry(f"e{index}", time / 2, time / 2 + draw(st.sampled_from([0, 0, 0, 1, 4, 20, 40])))
        for index, time in enumerate(times)
    ]


ACTIONS = st.one_of(
    st.tuples(st.just("read"), st.integers(1, 6)),
    st.tuples(st.just("commit"), st.sampled_from([0.0, 0.3, 0.5, 0.9, 1.0])),
    st.tuples(st.just("kill"), st.sampled_from([0, 0, 1, 10, 100])),
)


@settings(max_examples=150, deadline=None)
@given(arriving(), st.lists(ACTIONS, max_size=25), st.integers(1, 7), st.booleans())
def test_every_entry_is_read_once_whatever_arrives_late_and_wherever_it_is_killed(
    entries, actions, page_size, counts
):
    one = reader(entries, began=20, page_size=page_size, counts=counts, **UNBOUNDED)

    for action, value in actions:
        getattr(one, action)(value)
    one.time.go_on(900)
    one.kill()
    one.read()

    assert sorted(names(one.text)) == sorted(entry.name for entry in entries)


@settings(max_examples=60, deadline=None)
@given(arriving(), st.lists(st.integers(0, 60), max_size=5), st.sampled_from([0.0, 0.5, 1.0]))
def test_runs_that_end_by_themselves_read_every_entry_once(entries, pauses, share):
    one = reader(entries, began=160, once=True, **UNBOUNDED)

    for pause in [*pauses, 400]:
        assert not one.read()
        one.commit(share)
        one.kill(pause)
    one.read()

    assert sorted(names(one.text)) == sorted(entry.name for entry in entries)


def test_entries_come_in_the_order_of_time_when_none_is_late():
    entries = [Entry(f"e{number}", 60 - number, 60 - number) for number in range(30)]

    one = reader(entries)
    one.read()

    assert names(one.text) == [f"e{number}" for number in reversed(range(30))]


def test_an_entry_younger_than_the_delay_waits_for_those_before_it():
    one = reader([Entry("second", 101, 101), Entry("first", 100, 102)], delay="3s")
    one.read()

    assert names(one.text) == ["first", "second"]


def test_an_entry_later_than_the_setting_allows_is_not_read():
    one = reader([Entry("in time", 101, 141), Entry("too late", 102, 200)])
    one.read()

    assert names(one.text) == ["in time"]


def test_what_arrives_late_while_nobody_reads_is_read_at_the_next_start():
    one = reader([Entry("e1", 110, 110), Entry("e2", 108, 130)], interval="1s")
    while "e1" not in names(one.text):
        one.read(1)
    one.commit()

    one.kill(pause=300)
    one.read()

    assert names(one.text) == ["e1", "e2"]


def test_a_first_start_commits_where_it_begins():
    one = reader([Entry("e1", 99.0, 99.0), Entry("old", 40.0, 40.0)], start="5s")
    one.read(1)
    one.commit()

    one.kill(pause=60)
    one.read()

    assert names(one.text) == ["e1"]


@pytest.mark.parametrize("counts", [True, False], ids=["counting", "reading"])
def test_the_span_of_late_entries_is_read_again_only_when_the_count_differs(counts):
    one = reader([Entry(f"e{time}", time, time) for time in range(100, 140)], counts=counts, end=300)
    one.read()

    again = [span for span in one.source.asked if span[1] - span[0] > 20 and span[0] > 0]

    assert bool(again) is not counts


def test_what_is_gone_when_it_should_be_read_again_is_left_out_and_told():
    entries = [Entry(f"e{number}", 50 + number, 50 + number) for number in range(5)]
    one = reader(entries, page_size=9)
    one.read(2)
    one.commit(0.0)
    del entries[1]

    one.kill()
    one.read()

    assert one.messages == ["query: left out, gone or changed since they were read: 1 entry."]
    assert names(one.text) == ["e0", "e1", "e2", "e3", "e4"]


def test_a_service_that_does_not_answer_is_asked_again_and_told_once():
    failures = [Retry("shelf: 503.") for _ in range(3)]
    one = reader([Entry("e1", 50, 50)], failures=failures)
    one.read()

    assert names(one.text) == ["e1"]
    assert one.messages == ["query: shelf: 503. It is asked again in 1 s."]


def test_a_look_for_what_came_late_goes_on_where_the_service_failed():
    entries = [Entry(f"e{n}", n / 2, n / 2) for n in range(200, 400)] + [Entry("late", 150.05, 165)]
    one = reader(entries, most_pages=7, late="80s", interval="3s")

    one.read()

    assert sorted(names(one.text)) == sorted(entry.name for entry in entries)


def test_a_service_that_says_when_to_ask_again_is_not_asked_before():
    one = reader([Entry("e1", 50, 50)], failures=[Retry("shelf: 429.", after=120)])
    one.read(2)

    assert one.time.now == BEGIN + timedelta(seconds=220)
    assert one.messages == ["query: shelf: 429. It is asked again in 120 s."]


def test_a_service_that_never_answers_is_told_to_people():
    one = reader([], failures=[Retry("shelf: 503.") for _ in range(9)])

    with pytest.raises(Retry, match="shelf: 503"):
        one.read()


def test_what_will_not_pass_is_told_at_once():
    one = reader([], failures=[UserError("shelf: wrong password. Check it.")])

    with pytest.raises(UserError, match="wrong password"):
        one.read()


def test_a_quiet_service_still_moves_the_position():
    one = reader([], end=400)
    one.read()
    one.commit()

    assert one.positions["query"]["since"] > EPOCH + 250 * SECOND


def test_what_is_remembered_is_bounded_and_a_shortage_told(monkeypatch):
    monkeypatch.setattr(recent, "MOST", 10)
    entries = [Entry(f"e{number}", 100 + number / 10, 101 + number / 10) for number in range(200)]
    one = reader(entries, end=200, interval="1s")

    while one.read(1):
        one.commit()

    assert sorted(names(one.text)) == sorted(entry.name for entry in entries)
    assert len(one.messages) == 1
    assert one.messages[0].startswith("query: more entries come within `late` than can be remembered")
    assert len(one.context.state["recent"]["entries"]) < 1000


@pytest.mark.parametrize(
    "saved", [None, 7, {}, {"floor": 1, "looked": 2, "entries": "!"}, {"entries": "AAAA"}]
)
def test_damaged_memory_is_no_memory(saved):
    assert Recent.load(saved) is None


def test_memory_is_what_it_was_when_it_comes_back():
    one = reader([Entry(f"e{number}", 50, 50) for number in range(5)])
    one.read()

    state = json.loads(json.dumps(one.context.state["recent"]))

    assert Recent.load(state).save() == state


@pytest.mark.parametrize(
    ("start", "seconds"),
    [("1h", 3600), ("0", 0), (90, 90), ("2026-11-21T06:59:00Z", 60), ("2026-11-21T06:59", 60)],
)
def test_reading_starts_a_duration_back_or_at_a_time(start, seconds):
    assert PollingConfig(start=start).begin(BEGIN) == BEGIN - timedelta(seconds=seconds)


def test_a_start_that_is_no_time_is_told():
    with pytest.raises(
        ValueError, match="'soon' is neither a duration, as in 24h, nor a time, as in 2026-11-21T07"
    ):
        PollingConfig(start="soon")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("1.5", 1.5), ("Sat, 21 Nov 2026 07:01:00 GMT", 60), ("soon", 0), ("", 0), ("999999", 3600)],
)
def test_both_forms_of_retry_after_are_read(header, seconds):
    assert parse_retry_after(header, BEGIN) == seconds
