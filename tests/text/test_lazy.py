"""Patterns that are compiled on first use."""

import re

import pytest

from aiops_core import lazy_pattern


def test_a_lazy_pattern_does_what_a_compiled_one_does():
    lazy, plain = lazy_pattern(r"(\d+) of (\d+)", re.IGNORECASE), re.compile(r"(\d+) of (\d+)", re.IGNORECASE)

    for text in ("3 OF 4, 5 of 6", "none", ""):
        assert [found.groups() for found in lazy.finditer(text)] == [f.groups() for f in plain.finditer(text)]
        assert lazy.sub("x", text) == plain.sub("x", text)
    assert (lazy.pattern, lazy.groups, lazy.flags) == (plain.pattern, plain.groups, plain.flags)


def test_a_wrong_pattern_is_told_on_first_use():
    lazy = lazy_pattern("(")

    with pytest.raises(re.error):
        lazy.match("")
