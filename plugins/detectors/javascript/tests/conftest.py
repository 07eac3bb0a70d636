"""The detector in the host's own cutter, over text in memory."""

from functools import partial

import pytest
from aiops_detector_javascript import JavascriptConfig, JavascriptErrors

from aiops_core.testing.detecting import find as find_in
from aiops_core.text.blocks import Grammar


@pytest.fixture(scope="session")
def find():
    detector = JavascriptErrors()
    grammar = Grammar([detector])
    return lambda text: find_in(detector, text=text, grammar=grammar)


@pytest.fixture
def find_with():
    def build(**settings):
        find = partial(find_in, JavascriptErrors(JavascriptConfig(**settings)))
        return lambda text: find(text=text)

    return build


@pytest.fixture
def only(find):
    """Return the one event of a text that is nothing but one block."""

    def run(text):
        (one,) = find(text)
        assert (one.start, one.end) == (0, text.count("\n"))
        return one.event

    return run
