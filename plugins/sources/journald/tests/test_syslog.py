import re

import pytest
from aiops_source_journald.export import Entry
from aiops_source_journald.syslog import MOST_LINES, render
from hypothesis import given
from hypothesis import strategies as st

WHOLE = {
    b"__REALTIME_TIMESTAMP": b"1795245078123456",
    b"PRIORITY": b"3",
    b"SYSLOG_FACILITY": b"3",
    b"_HOSTNAME": b"web1",
    b"SYSLOG_IDENTIFIER": b"shop",
    b"_PID": b"4711",
    b"_SYSTEMD_UNIT": b"shop.service",
    b"_STREAM_ID": b"d" * 32,
    b"_BOOT_ID": b"a" * 32,
    b"CONTAINER_NAME": b"shop-1",
    b"MESSAGE": b"no price",
}
LINE = re.compile(
    rb"<(\d{1,3})>1 (?:-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) [!-~]+ [!-~]+ [!-~]+ - "
    rb'\[aiops@32473(?: [a-z_]+="(?:[^"\\\]\x00-\x1f]|\\["\\\]])*")*\] [^\n]*\n'
)


def rendered(lengths=None, **fields):
    return render(Entry({name.encode(): value for name, value in fields.items()}, (), lengths or {}))


def test_an_entry_becomes_an_rfc_5424_line():
    expected = (
        b"<27>1 2026-11-21T07:11:18.123456Z web1 shop 4711 - "
        b'[aiops@32473 unit="shop.service" stream="%s" boot="%s" container="shop-1"] no price\n'
    )

    assert render(Entry(WHOLE)) == expected % (b"d" * 32, b"a" * 32)


def test_what_is_unknown_is_a_dash_or_left_out():
    assert rendered(MESSAGE=b"hi") == b"<14>1 - - - - - [aiops@32473] hi\n"


def test_case_99_an_entry_without_a_message_is_a_line_with_an_empty_one():
    assert rendered(_COMM=b"cron") == b"<14>1 - - cron - - [aiops@32473] \n"


def test_every_line_of_a_message_has_the_header():
    assert rendered(MESSAGE=b"a\r\n\n  b\n") == b"".join(
        b"<14>1 - - - - - [aiops@32473] " + line for line in (b"a\r\n", b"\n", b"  b\n")
    )


def test_case_99_every_value_of_a_repeated_message_is_a_line():
    entry = Entry({b"MESSAGE": b"a"}, ((b"MESSAGE", b"b"), (b"PRIORITY", b"3")))

    assert render(entry) == b"<14>1 - - - - - [aiops@32473] a\n<14>1 - - - - - [aiops@32473] b\n"


@pytest.mark.parametrize(
    ("priority", "facility", "expected"),
    [
        (b"0", b"0", 0),
        (b"7", b"23", 191),
        (b"8", b"24", 14),
        (b"", b"", 14),
        (b"-1", b"x", 14),
        (b"3", b"", 11),
    ],
)
def test_severity_and_facility_are_those_of_the_entry_or_six_and_one(priority, facility, expected):
    line = rendered(PRIORITY=priority, SYSLOG_FACILITY=facility, MESSAGE=b"m")

    assert line.startswith(b"<%d>1 " % expected)


@pytest.mark.parametrize(
    ("received", "sent", "expected"),
    [
        (b"1795245078000001", b"1795245077000002", b"2026-11-21T07:11:17.000002Z"),
        (b"1795245078000001", b"1700000000000000", b"2026-11-21T07:11:18.000001Z"),
        (b"", b"1795245077000002", b"2026-11-21T07:11:17.000002Z"),
        (b"9" * 18, b"junk", b"-"),
        (b"9" * 40, b"", b"-"),
    ],
    ids=[
        "of the sender",
        "far from that of the journal",
        "of the sender alone",
        "beyond all years",
        "no number",
    ],
)
def test_the_time_is_that_of_the_sender_unless_it_is_far_off(received, sent, expected):
    line = rendered(__REALTIME_TIMESTAMP=received, _SOURCE_REALTIME_TIMESTAMP=sent, MESSAGE=b"m")

    assert line.split(b" ")[1] == expected


def test_header_fields_have_neither_blanks_nor_anything_unprintable():
    line = rendered(
        _HOSTNAME=b"my host",
        SYSLOG_IDENTIFIER="caf\u00e9\n\x1b[1m".encode(),
        SYSLOG_PID=b"\xff",
        MESSAGE=b"m",
    )

    assert line == b"<14>1 - my_host caf___[1m _ - [aiops@32473] m\n"


def test_parameters_are_escaped_and_have_no_control_characters():
    line = rendered(_SYSTEMD_UNIT=b'a"b\\c]d\n\xff', MESSAGE=b"m")

    assert line == '<14>1 - - - - - [aiops@32473 unit="a\\"b\\\\c\\]d \ufffd"] m\n'.encode()


def test_what_the_service_manager_says_is_told_of_the_unit_it_speaks_of():
    fields = {"_SYSTEMD_UNIT": b"init.scope", "UNIT": b"shop.service", "MESSAGE": b"Started"}

    assert b'unit="shop.service"' in rendered(_PID=b"1", **fields)
    assert b'unit="init.scope"' in rendered(_PID=b"77", **fields)


def test_a_user_unit_is_named_rather_than_the_manager_it_runs_under():
    line = rendered(_SYSTEMD_UNIT=b"user@1000.service", _SYSTEMD_USER_UNIT=b"bot.service", MESSAGE=b"m")

    assert b'unit="bot.service"' in line


def test_of_a_message_of_very_many_lines_the_first_are_passed_on_and_marked():
    lines = rendered(MESSAGE=b"\n" * (MOST_LINES + 10)).splitlines()

    assert len(lines) == MOST_LINES
    assert lines[0].endswith(b'[aiops@32473 truncated="true" original_bytes="5010"] ')


def test_a_shortened_message_is_marked_with_its_whole_length():
    line = rendered({b"MESSAGE": 999}, MESSAGE=b"head")

    assert line == b'<14>1 - - - - - [aiops@32473 truncated="true" original_bytes="999"] head\n'


def test_another_shortened_field_does_not_mark_the_message():
    assert rendered({b"COREDUMP": 999}, MESSAGE=b"m") == b"<14>1 - - - - - [aiops@32473] m\n"


@given(st.dictionaries(st.sampled_from(sorted(WHOLE)), st.binary(max_size=40)))
def test_any_entry_gives_well_formed_lines(fields):
    data = render(Entry(fields))

    assert data == b"".join(found[0] for found in LINE.finditer(data))
    assert all(int(found[1]) <= 191 for found in LINE.finditer(data))
    assert len(data.splitlines()) >= 1
