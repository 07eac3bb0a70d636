"""The contract of both forges, each on its bench."""

import pytest

from aiops_core.settings import Repository
from aiops_core.testing import Bench
from aiops_core.testing.contracts import CHECKS, Trial


@pytest.mark.parametrize("check", CHECKS["actions"], ids=lambda check: check.__name__)
def test_contract(bench, check, tmp_path):
    place = Bench(
        bench.settings(),
        Repository(**bench.setup.repository),
        change=bench.make_fix(),
        reached=lambda: (bench.seen(), bench.bare.git("for-each-ref")),
    )

    check(Trial(bench.action_type, place, tmp_path / "trial"))
