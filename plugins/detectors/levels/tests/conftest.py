"""The detector in the host's own cutter, over text in memory."""

import pytest

from aiops_core.testing.detecting import find as find_in


@pytest.fixture
def find():
    return find_in
