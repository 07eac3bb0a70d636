import os
import re
import shutil
import signal
import threading
from pathlib import Path

import pytest
from aiops_source_journald import JournaldConfig, JournaldSource
from aiops_source_journald.export import LONGEST_FIELD
from aiops_source_journald.journalctl import Running

from aiops_core import Context, Retry, UserError


def test_a_journal_is_read_from_its_beginning(journal, tail):
    journal().add("one", "two", PRIORITY=3, _SYSTEMD_UNIT="shop.service", _STREAM_ID="c" * 32)

    source = tail().run_once()

    header = (
        b"<11>1 2023-11-14T22:13:21.000000Z web1 shop 11 - "
        b'[aiops@32473 unit="shop.service" stream="%s" boot="%s"] ' % (b"c" * 32, b"a" * 32)
    )
    assert source.data == header + b"one\n" + header.replace(b":21.", b":22.") + b"two\n"
    assert source.batches[0].path == "journald"
    assert source.batches[0].read_at is not None


def test_new_entries_are_followed_over_boots(journal, tail):
    log = journal().add("one")
    source = tail().start()
    source.wait_for("one")

    log.add("two", "three", boot=1)
    source.wait_for("one", "two", "three")
    journal("y.journal").add("four", boot=0, at=1_800_000_000_000_000)

    source.wait_for("one", "two", "three", "four")
    assert source.messages == []


def test_a_stop_is_honoured_at_once_and_leaves_no_process(journal, tail, monkeypatch):
    running = []
    init = Running.__init__
    monkeypatch.setattr(
        Running, "__init__", lambda self, *given: (init(self, *given), running.append(self))[0]
    )
    journal().add("one")
    source = tail().start()
    source.wait(lambda: len(running) == 2)

    source.stop()

    assert all(one._process.poll() is not None for one in running)


def test_the_first_start_begins_at_the_end_and_the_second_where_the_first_stopped(journal, tail):
    log = journal().add("old")
    source = tail(start="end").start()
    source.wait(lambda: source.position)

    log.add("one")
    source.wait_for("one")
    source.stop()
    log.add("two")
    source.start()

    source.wait_for("one", "two")


def test_what_comes_between_a_first_start_at_the_end_of_an_empty_journal_and_a_second_is_read(
    tmp_path, journal, tail
):
    (tmp_path / "journal").mkdir()
    source = tail(start="end").start()
    source.wait(lambda: source.position)
    source.stop()

    journal().add("one")
    source.start()

    source.wait_for("one")


def test_every_entry_is_a_place_to_go_on_from_with_the_same_bytes_at_the_same_offsets(journal, tail):
    journal().add("one", "two\nlines", None, b"b\xffd", "five")
    whole = tail().run_once()
    batch = whole.batches[0]

    assert len(batch.marks) == 6
    for at, position in batch.marks:
        again = tail()
        again.positions = {"journal": position}
        again.run_once()

        assert again.data == whole.data[at:]
        assert not again.batches or again.batches[0].offset == batch.offset + at
    assert batch.marks[-1] == (len(batch.data), batch.end)


def test_offsets_go_on_over_runs(journal, tail):
    log = journal().add("one")
    source = tail().run_once()
    log.add("two")
    source.run_once()

    first, second = source.batches
    assert (first.offset, second.offset) == (0, len(first.data))
    assert source.position["offset"] == len(source.data)


# -- filters ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"units": ["a.service"]}, ["a"]),
        ({"units": ["a", "b"]}, ["a", "b"]),
        ({"identifiers": ["cron", "sshd"]}, ["c", "d"]),
        ({"priority": "warning"}, ["b", "c"]),
        ({"boot": "b" * 32}, ["e"]),
        ({"boot": "current"}, []),
        ({"users": ["root", 33]}, ["d", "e"]),
        ({"matches": {"_TRANSPORT": "kernel"}}, ["e"]),
        ({"matches": {"_TRANSPORT": ["kernel", "audit"]}}, ["d", "e"]),
        ({"matches": {"_TRANSPORT": ["kernel", "audit"]}, "users": ["root"]}, ["d"]),
    ],
    ids=str,
)
def test_only_wanted_entries_are_read(journal, tail, settings, expected):
    log = journal()
    log.add("a", _SYSTEMD_UNIT="a.service", PRIORITY=6)
    log.add("b", _SYSTEMD_UNIT="b.service", PRIORITY=4)
    log.add("c", SYSLOG_IDENTIFIER="cron", PRIORITY=3)
    log.add("d", SYSLOG_IDENTIFIER="sshd", _UID=0, _TRANSPORT="audit")
    log.add("e", boot=1, _UID=33, _TRANSPORT="kernel", PRIORITY=7)

    assert tail(**settings).run_once().lines == expected


def test_case_99_going_on_under_a_filter_skips_and_repeats_nothing(journal, tail):
    log = journal()
    for number in range(1, 8):
        log.add(f"msg {number}", _SYSTEMD_UNIT="a.service" if number % 3 == 1 else "b.service")
    every = tail().run_once()
    cursors = [position for _, position in every.batches[0].marks]

    source = tail(units=["a.service"])
    source.positions = {"journal": cursors[4]}  # that of msg 4, which is wanted
    assert source.run_once().lines == ["msg 7"]

    source = tail(units=["b.service"])
    source.positions = {"journal": cursors[4]}  # that of msg 4, which is not
    assert source.run_once().lines == ["msg 5", "msg 6"]


def test_the_position_passes_entries_that_are_not_wanted(journal, tail):
    log = journal().add("a", _SYSTEMD_UNIT="a.service")
    log.add("b", _SYSTEMD_UNIT="b.service")
    newest = tail().run_once().position["cursor"]

    source = tail(units=["a.service"]).run_once()

    assert source.position == {"cursor": newest, "offset": len(source.data)}


def test_the_position_passes_entries_that_are_not_wanted_while_following(journal, tail, monkeypatch):
    monkeypatch.setattr("aiops_source_journald.reader.QUIET", 0.3)
    log = journal().add("a", _SYSTEMD_UNIT="a.service")
    source = tail(units=["a.service"]).start()
    source.wait_for("a")

    log.add("b", _SYSTEMD_UNIT="b.service")
    newest = tail().run_once().position["cursor"]
    source.wait(lambda: source.position["cursor"] == newest)
    log.add("c", _SYSTEMD_UNIT="a.service")
    source.wait_for("a", "c")
    source.stop()

    assert source.run_once().lines == ["a", "c"]
    assert source.messages == []


def test_the_position_does_not_go_back_when_entries_come_while_reading(journal, tail, program):
    log = journal().add("a", _SYSTEMD_UNIT="a.service")
    path = program(
        'case "$*" in *--lines=1*) [ -e newest ] || real "$@" > newest; cat newest;; *) real "$@";; esac'
    )
    source = tail(units=["a.service"], journalctl=path).run_once()

    log.add("b", _SYSTEMD_UNIT="a.service")
    source.run_once()

    assert source.run_once().lines == ["a", "b"]


def test_the_position_does_not_pass_a_wanted_entry_that_has_not_come_yet(
    journal, tail, program, tmp_path, monkeypatch
):
    monkeypatch.setattr("aiops_source_journald.reader.QUIET", 0.05)
    log = journal().add("a", _SYSTEMD_UNIT="a.service")
    path = program('case "$*" in *--follow*) touch following; exec sleep 60;; esac; echo >> asked; real "$@"')
    source = tail(units=["a.service"], journalctl=path).start()
    source.wait(lambda: (tmp_path / "following").exists())

    log.add("c", _SYSTEMD_UNIT="a.service").add("b", _SYSTEMD_UNIT="b.service")
    asked = len((tmp_path / "asked").read_text())
    source.wait(lambda: len((tmp_path / "asked").read_text()) > asked + 4)
    source.stop()

    assert source.run_once().lines == ["a", "c"]


# -- what journals hold -------------------------------------------------------------------------


def test_case_99_a_field_of_100_kilobytes_is_whole(journal, tail):
    journal().add("x" * 100_000, "next")

    assert tail().run_once().lines == ["x" * 100_000, "next"]


def test_case_99_a_binary_field_keeps_its_bytes(journal, tail):
    journal().add(b"\xff\x00\x1b[31mred", "next", more=[("JUNK", b"\n\n__CURSOR=x\n\n")])

    assert tail().run_once().data.splitlines()[0].endswith(b"] \xff\x00\x1b[31mred")


def test_case_99_a_repeated_field_is_no_trouble(journal, tail):
    journal().add("one", more=[("TAG", "a"), ("TAG", "b")])

    assert tail().run_once().lines == ["one"]


def test_case_99_an_entry_without_a_message_is_an_empty_one(journal, tail):
    journal().add(None, "next")

    assert tail().run_once().lines == ["", "next"]


def test_case_99_entries_of_two_boots_come_in_order_and_none_is_lost(journal, tail):
    log = journal().add("one")
    source = tail().run_once()

    log.add("tail of the first boot").add("head of the second", boot=1)

    source.start().wait_for("one", "tail of the first boot", "head of the second")
    assert source.messages == []


def test_case_99_a_clock_set_back_loses_and_repeats_nothing(journal, tail):
    log = journal().add("one", "two")
    source = tail().run_once()

    log.add("an hour earlier", at=1_700_000_000_000_000 - 3_600_000_000)
    source.run_once()
    log.add("and on", at=1_700_000_000_000_000 - 3_599_000_000)

    assert source.run_once().lines == ["one", "two", "an hour earlier", "and on"]
    assert source.messages == []


def test_case_99_a_message_over_the_limit_is_cut_and_its_neighbours_are_whole(journal, tail):
    journal().add("first", "x" * (LONGEST_FIELD + 5), "last")

    first, cut, last = tail().run_once().data.splitlines()

    assert first.endswith(b"] first")
    assert last.endswith(b"] last")
    assert cut.endswith(b"x" * LONGEST_FIELD)
    assert f'truncated="true" original_bytes="{LONGEST_FIELD + 5}"]'.encode() in cut[:200]


# -- the place where reading stopped is gone ----------------------------------------------------


def test_case_99_a_vacuumed_place_is_told_and_reading_goes_on_with_the_next_entry(journal, tail):
    old = journal("old.journal").add("one", "two")
    source = tail().run_once()
    old.remove()
    journal("new.journal").add("six", at=1_700_000_006_000_000)

    source.run_once()

    assert source.lines == ["one", "two", "six"]
    assert source.messages == [
        "journald: the journal no longer holds the entry of 2023-11-14 22:13:22+00:00 where reading stopped. "
        "Reading goes on with the entry of 2023-11-14 22:13:26+00:00; what was between them is lost. "
        "If it was vacuumed, give it more room (SystemMaxUse= in journald.conf)."
    ]
    assert source.batches[-1].offset == len(source.batches[0].data)
    assert len(source.run_once().messages) == 1


@pytest.mark.parametrize(
    "cursor",
    [f"s={'1' * 32};i=5;b={'c' * 32};m=5;t=7000000000000;x=1", "junk"],
    ids=["of another machine", "unreadable"],
)
def test_case_99_a_foreign_place_is_told_and_the_journal_read_from_its_beginning(journal, tail, cursor):
    journal().add("one", "two")
    source = tail()
    source.positions = {"journal": {"cursor": cursor, "offset": 1000}}

    source.run_once()

    assert source.lines == ["one", "two"]
    assert source.batches[0].offset == 1000
    assert len(source.messages) == 1
    assert "It holds nothing later either, so it is read from its beginning." in source.messages[0]
    assert len(source.run_once().messages) == 1


def test_a_wiped_journal_is_told_once_and_followed(journal, tail):
    log = journal().add("one")
    source = tail().run_once()
    log.remove()
    source.run_once()

    journal("new.journal").add("two")

    assert source.run_once().lines == ["one", "two"]
    assert sum("no longer holds the entry" in message for message in source.messages) == 1


def test_a_place_between_two_entries_is_told_and_reading_goes_on_with_the_later(journal, tail):
    journal().add("one", "two")
    source = tail()
    foreign = f"s={'1' * 32};i=5;b={'c' * 32};m=5;t={1_700_000_001_500_000:x};x=1"
    source.positions = {"journal": {"cursor": foreign, "offset": 7}}

    assert source.run_once().lines == ["two"]
    assert "Reading goes on with the entry of 2023-11-14 22:13:22+00:00" in source.messages[0]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, []),
        ({"namespace": "shop"}, ["--namespace=shop"]),
        ({"directory": "."}, ["--directory=", "--merge"]),
    ],
    ids=["of this machine", "of a namespace", "in a directory"],
)
def test_the_journal_is_the_one_that_is_named(tail, program, tmp_path, settings, expected):
    path = program('echo "$@" > arguments')

    tail(**{"directory": "", "journalctl": path, **settings}).run_once()

    given = (tmp_path / "arguments").read_text().replace(str(tmp_path), "").split()
    assert given == ["--output=export", "--all", "--no-pager", *expected]


# -- journalctl in trouble ----------------------------------------------------------------------


def test_a_journalctl_that_dies_is_started_again_and_nothing_is_lost(journal, tail, monkeypatch):
    running = []
    init = Running.__init__
    monkeypatch.setattr(
        Running, "__init__", lambda self, *given: (init(self, *given), running.append(self))[0]
    )
    log = journal().add("one")
    source = tail().start()
    source.wait_for("one")
    source.wait(lambda: len(running) == 2 and running[1]._process.poll() is None)

    os.kill(running[1]._process.pid, signal.SIGKILL)
    log.add("two")

    source.wait_for("one", "two")
    assert source.messages == [
        f"{shutil.which('journalctl')} failed: it was ended by signal 9. "
        "It is started again in 0.02 s and goes on where it stopped."
    ]


def test_a_journalctl_that_dies_inside_an_entry_is_started_again(journal, tail, program):
    journal().add("one", "two", "three")
    path = program('if [ -e died ]; then real "$@"; else touch died; real "$@" | head -c 500; exit 3; fi')

    source = tail(journalctl=path).run_once()

    assert source.lines == ["one", "two", "three"]
    assert len(source.messages) == 1
    assert "it ended with exit code 3. It is started again" in source.messages[0]


def test_output_that_ends_inside_an_entry_is_read_again(journal, tail, program):
    journal().add("one", "two", "three")
    path = program('if [ -e died ]; then real "$@"; else touch died; real "$@" | head -c 500; fi')

    source = tail(journalctl=path).run_once()

    assert source.lines == ["one", "two", "three"]
    assert (
        "the journal export stops inside an entry, after byte 500. It is started again" in source.messages[0]
    )


def test_what_journalctl_says_is_told_once(journal, tail, program):
    log = journal().add("one")
    path = program('echo "Journal file x is truncated,\t ignoring." >&2; real "$@"')
    source = tail(journalctl=path).run_once()
    log.add("two")

    source.run_once()

    assert source.lines == ["one", "two"]
    assert source.messages == ["journald: journalctl says: Journal file x is truncated,  ignoring."] * 2


def test_a_journalctl_that_fails_again_and_again_is_told_to_people(journal, tail, program):
    journal().add("one")
    path = program('echo "cannot do that" >&2; exit 1')
    source = tail(journalctl=path)

    with pytest.raises(Retry) as raised:
        source.run_once()

    assert str(raised.value) == (
        f"{path} failed 2 times in a row, the last time because it ended with exit code 1: cannot do that. "
        "Nothing is lost as long as the journal keeps it; try the command by hand."
    )
    assert source.messages == [
        "journald: journalctl says: cannot do that",
        f"{path} failed: it ended with exit code 1: cannot do that. "
        "It is started again in 0.02 s and goes on where it stopped.",
    ]
    source.failure = None


def test_a_journalctl_that_does_nothing_is_told_to_people_instead_of_waited_for(
    journal, tail, program, monkeypatch
):
    monkeypatch.setattr("aiops_source_journald.journalctl._PATIENCE", 0.2)
    journal().add("one")
    source = tail(journalctl=program("exec sleep 600"))

    with pytest.raises(
        Retry, match=r"failed 2 times in a row, the last time because it did nothing for 0\.2 s"
    ):
        source.run_once()

    source.failure = None


def test_a_journalctl_that_prints_nothing_but_computes_is_waited_for(
    journal, tail, program, tmp_path, monkeypatch
):
    monkeypatch.setattr("aiops_source_journald.journalctl._PATIENCE", 0.5)
    journal().add("one")
    busy = 'i=0; while [ $i -lt 600000 ]; do i=$((i+1)); done; real "$@"'

    source = tail(journalctl=program(busy)).run_once()

    assert source.lines == ["one"]
    assert source.messages == []


def test_while_following_it_is_tried_five_times_before_people_are_told(journal, tail, program):
    journal().add("one")
    source = tail(journalctl=program("exit 1")).start()

    source._thread.join(10)

    assert "failed 5 times in a row" in str(source.failure)
    assert [re.search(r"in ([\d.]+) s", message)[1] for message in source.messages] == [
        "0.02",
        "0.04",
        "0.08",
        "0.16",
    ]
    source.failure = None


def start(tmp_path, **settings):
    source = JournaldSource(JournaldConfig(**settings), Context(directory=tmp_path))
    with pytest.raises(UserError) as raised:
        source.start()
    assert source.problem() == str(raised.value)
    return str(raised.value)


def test_what_cannot_work_is_told_before_the_start(tmp_path):
    assert start(tmp_path, journalctl="./none") == (
        "./none: no such program. This source needs the journalctl of systemd: "
        "install it, or set 'journalctl' to its path"
    )
    assert start(tmp_path, journalctl="/bin/true", directory="none") == (
        f"{tmp_path}/none: no such directory. Set 'directory' to one that holds journal files"
    )
    assert start(tmp_path, journalctl="/bin/true", users=["nobody here"]) == (
        "users: nobody is called 'nobody here' on this machine. Name somebody who is, or give the number"
    )


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"units": ["app*"]}, "'app*' is no unit. Write each unit's whole name, as in shop.service"),
        ({"units": [""]}, "'' is no unit"),
        (
            {"matches": {"lower": "x"}},
            "'lower' is no field of the journal. Write it in capitals, as in _TRANSPORT",
        ),
        ({"matches": {"A=B": "x"}}, "'A=B' is no field of the journal"),
        ({"identifiers": ["a\0b"]}, "holds a NUL"),
        ({"boot": -1}, "'-1' is no boot. Write all, current, or an id from journalctl --list-boots"),
        ({"directory": "x", "namespace": "y"}, "directory and namespace name two journals. Use two sources"),
    ],
    ids=str,
)
def test_settings_that_journalctl_would_misunderstand_are_refused(settings, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        JournaldConfig(**settings)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Make this one a machine whose journals are below ``tmp_path``; return what a start warns of."""
    (tmp_path / "machine-id").write_text("machine\n")
    monkeypatch.setattr("aiops_source_journald.places._MACHINE", str(tmp_path / "machine-id"))
    monkeypatch.setattr("aiops_source_journald.places._BASES", (str(tmp_path / "log"),))
    context = Context(name="journald", directory=tmp_path)
    told = []
    monkeypatch.setattr(
        context, "logger", type("Logger", (), {"warning": lambda self, text, *of: told.append(text % of)})()
    )

    def warnings(**settings):
        JournaldSource(JournaldConfig(journalctl="/bin/true", **settings), context).start()
        return told

    return warnings


def test_a_machine_without_a_journal_is_told(tmp_path, machine):
    assert machine() == [
        f"journald: this machine has no journal in {tmp_path}/log. In a container, mount the host's "
        "and set 'directory' to it."
    ]


def test_journals_of_other_machines_alone_are_told(tmp_path, machine):
    (tmp_path / "log" / "host").mkdir(parents=True)
    (tmp_path / "log" / "host" / "system.journal").touch()

    assert machine() == [
        f"journald: {tmp_path}/log holds journals of other machines only. "
        "To read them, set 'directory' to it."
    ]


def test_a_directory_without_a_journal_is_told_and_one_with_it_is_not(tmp_path, machine):
    (tmp_path / "empty").mkdir()
    (tmp_path / "full" / "host").mkdir(parents=True)
    (tmp_path / "full" / "host" / "system.journal").touch()

    assert machine(directory="full") == []
    assert machine(directory="empty") == [
        f"journald: {tmp_path}/empty holds no journal yet. It is read once it does."
    ]


def test_a_journal_this_user_may_not_read_is_told(tmp_path, machine, monkeypatch):
    file = tmp_path / "log" / "machine" / "system.journal"
    file.parent.mkdir(parents=True)
    file.touch()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != file)

    assert machine() == [
        f"journald: {file} cannot be read by this user, who sees only entries of his own. "
        "Add him to the group systemd-journal."
    ]


def test_a_reader_that_is_kept_waiting_keeps_journalctl_waiting(journal, tail):
    log = journal()
    log.add(*(["x" * 1000] * 3000))
    held = threading.Event()
    context = Context(name="journald", directory=log.directory.parent, once=True)
    source = JournaldSource(JournaldConfig(directory="journal", start="beginning"), context).source({})

    first = next(source)
    held.wait(0.05)
    rest = list(source)

    assert len(first.data) < 2 << 20
    assert len((first.data + b"".join(batch.data for batch in rest)).splitlines()) == 3000
