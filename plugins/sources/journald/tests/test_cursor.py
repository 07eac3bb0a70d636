import pytest
from aiops_source_journald.cursor import is_after, is_same, parse_cursor

S, B = "5" * 32, "a" * 32


def cursor(s=S, i=7, b=B, m=100, t=1_700_000_000_000_000, x="ff"):
    return f"s={s};i={i:x};b={b};m={m:x};t={t:x};x={x}"


def test_a_cursor_tells_the_time_of_its_entry():
    assert parse_cursor(cursor()).when == "2023-11-14 22:13:20+00:00"
    assert parse_cursor(f"s={S};i=1").when == parse_cursor("t=ffffffffffffffff").when == "an unknown time"


@pytest.mark.parametrize("text", ["", "xyz", "s=1", "i=1", f"b={B}", "t=", "t=xyz", "t=" + "1" * 99, "x=1"])
def test_a_text_that_names_no_place_is_no_cursor(text):
    assert parse_cursor(text) is None


def test_cursors_of_one_entry_in_two_files_are_the_same():
    assert is_same(cursor(), cursor(s="6" * 32, i=9))
    assert is_same(cursor(), cursor(x="ee"))
    assert is_same("junk", "junk")


@pytest.mark.parametrize(
    "other", [cursor(i=8), cursor(s="6" * 32, x="ee"), cursor(s="6" * 32, m=101), "junk", ""]
)
def test_cursors_of_two_entries_are_not_the_same(other):
    assert not is_same(cursor(), other)


def test_a_later_entry_is_known_only_when_everything_agrees():
    assert is_after(cursor(i=8, m=101), cursor())
    assert is_after(cursor(s="6" * 32, i=1, b="b" * 32, m=1), cursor())
    assert not is_after(cursor(), cursor())
    assert not is_after(cursor(i=8, t=5), cursor())
    assert not is_after(cursor(i=8, m=99), cursor())
    assert not is_after("junk", cursor())
