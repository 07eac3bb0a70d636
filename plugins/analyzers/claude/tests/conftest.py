import logging
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from claude_scene import EVIDENCE, INCIDENT, KEY, make

from aiops_core import NoAnswer
from aiops_core.testing.messages_api import OVERLOADED, MessagesApi


@pytest.fixture(params=[True, False], ids=["streamed", "whole"])
def stream(request):
    return request.param


@pytest.fixture
def ask(stream, caplog):
    """Return what an analyzer says to a script, and how it asked."""
    caplog.set_level(logging.DEBUG)

    def ask(*replies, usual=OVERLOADED, **settings):
        with MessagesApi(replies, usual=usual, key=KEY) as api:
            analyzer = make(api, stream=stream, **settings)
            try:
                return analyzer.analyze(INCIDENT, EVIDENCE), api
            except NoAnswer as reason:
                return reason, api
            finally:
                assert KEY not in caplog.text
                assert KEY not in repr(analyzer.config)

    return ask
