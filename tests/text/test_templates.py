from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops_core.text.templates import mask

PIECES = [
    *(
        "<num>",
        "<str>",
        "<",
        ">",
        "num",
        "0x",
        "'",
        '"',
        "`",
        "10:00:00",
        "2026-01-01",
        "Jan 01 10:00:00",
        "/tmp/",
    ),
    *(
        "http://h/",
        "?a=",
        "deadbeef1",
        "12345678",
        "a@b.c",
        "1.2.3.4",
        "::1",
        "aa:bb:cc",
        "E123: ",
        "ORA-00942: ",
    ),
    *(
        "a1b2c3d4e5f6g7h8",
        "123e4567-e89b-12d3-a456-426614174000",
        " ",
        "-",
        "+",
        ".",
        ",",
        "x",
        "9",
        "b'",
        "_",
    ),
]
TEXTS = st.one_of(
    st.text(alphabet="0159aAfFxXzZ_-+.,:/?=@'\"`<>()[]{} Ttmpn\n\t#$%é٣", max_size=60),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=12).map("".join),
)


@pytest.mark.parametrize(
    ("message", "template"),
    [
        ("user 42 not found", "user <num> not found"),
        ("took 10.5ms, -3 left, +1,000 more", "took <num>ms, <num> left, <num> more"),
        ("can't open 'a b' at 0x7ffe12", "can't open '<str>' at <hex>"),
        ("no key \"x\" nor `y` nor b'z'", "no key \"<str>\" nor `<str>` nor b'<str>'"),
        ("id 123e4567-e89b-12d3-a456-426614174000", "id <uuid>"),
        ("commit deadbeef12 of beefcafe", "commit <hex> of beefcafe"),
        ("dial tcp 10.0.0.1:5432: refused", "dial tcp <ip>:<num>: refused"),
        ("fe80::1ff:fe23:4567:890a is up", "<ip> is up"),
        ("at 2026-01-01T10:00:00.123Z and 10:00:00", "at <time> and <time>"),
        ("since Nov 21 03:55:01 sharp", "since <time> sharp"),
        ("mail to jo.doe@acme.example bounced", "mail to <email> bounced"),
        (
            "GET https://h.example/users/42/a?x=1&y=2 failed",
            "GET https://h.example/users/<num>/a?<query> failed",
        ),
        ("reading /tmp/tmpab3x_/file.txt", "reading /tmp/<tmp>/file.txt"),
        ("reading /srv/app/shop.py", "reading /srv/app/shop.py"),
        ("blk_-1608999687919862906 blk_38865049064139660", "blk_<num> blk_<num>"),
        ("token eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", "token <id>"),
        ("ORA-00942: no table", "ORA-00942: no table"),
        ("JOB-123 failed", "JOB-<num> failed"),
        ("std::bad_alloc in foo::bar", "std::bad_alloc in foo::bar"),
        ("nothing varies here", "nothing varies here"),
        ("", ""),
    ],
)
def test_what_varies_becomes_a_placeholder(message, template):
    assert mask(message) == template


@settings(max_examples=1000, deadline=None)
@given(TEXTS)
def test_the_template_of_a_template_is_itself(text):
    template = mask(text)

    assert mask(template) == template


@pytest.mark.parametrize(
    "piece", ["a", "1", "a.b", "1:", "'", '"a', "a-", "?a", "1,", "/tmp/", "a@", "0x", "<", "f", "1."]
)
def test_hostile_text_takes_linear_time(piece):
    text = piece * (200_000 // len(piece))
    started = process_time()

    mask(text)

    assert process_time() - started < 1.5
