import pytest

from aiops_core.text.phrases import counted, headed


def test_a_number_has_its_noun():
    assert [counted(number, "event") for number in (0, 1, 2, 2000)] == [
        "0 events",
        "1 event",
        "2 events",
        "2,000 events",
    ]


@pytest.mark.parametrize(
    ("kind", "message", "text"),
    [
        ("KeyError", "'total'", "KeyError: 'total'"),
        ("KeyError", "", "KeyError"),
        ("", "no price", "no price"),
        ("runtime error: index", "runtime error: index [5]", "runtime error: index [5]"),
        ("java.lang.Oops", "Oops: no price", "Oops: no price"),
        ("Oops", "Oops", "Oops"),
        ("Error", "Errors were found", "Error: Errors were found"),
    ],
)
def test_a_type_is_said_once(kind, message, text):
    assert headed(kind, message) == text
