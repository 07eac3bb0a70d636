"""The contract of every analyzer that asks a model, each on its bench."""

import pytest

from aiops_core.testing import Bench
from aiops_core.testing.contracts import CHECKS, Trial
from aiops_core.testing.messages_api import UNAUTHORIZED, answer
from aiops_core.testing.model_bench import ANSWER, KEY


@pytest.mark.parametrize("check", CHECKS["analyzers"], ids=lambda check: check.__name__)
def test_contract(bench, check, tmp_path):
    with bench.api([], usual=answer(ANSWER), key=KEY) as api:
        settings = {"api_key": KEY, "base_url": api.url + bench.path, **bench.settings}

        def spoil():
            api._otherwise = UNAUTHORIZED

        place = Bench(settings, directory=tmp_path, spoil=spoil)
        check(Trial(bench.analyzer, place, tmp_path / "trial"))
