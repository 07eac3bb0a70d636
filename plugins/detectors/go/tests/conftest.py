"""The detector in the host's own cutter, over text in memory."""

from functools import partial

import pytest
from aiops_detector_go import GoConfig, GoErrors

from aiops_core.testing.detecting import find as find_in
from aiops_core.text.blocks import Grammar


@pytest.fixture(scope="session")
def find():
    detector = GoErrors()
    grammar = Grammar([detector])
    return lambda text: find_in(detector, text=text, grammar=grammar)


@pytest.fixture
def find_with():
    def build(**settings):
        find = partial(find_in, GoErrors(GoConfig(**settings)))
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
