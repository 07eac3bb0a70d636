import re
from datetime import date
from pathlib import Path

import aiops_analyzer_claude
import pytest
import yaml
from aiops_analyzer_claude.prices import priced

from aiops_core import Usage
from aiops_core.analysis.models import added

TABLE = yaml.safe_load(Path(aiops_analyzer_claude.__file__).with_name("prices.yaml").read_text())
MILLION = 1_000_000


@pytest.mark.parametrize("model", TABLE["models"])
def test_every_model_has_the_four_prices(model):
    table = TABLE["models"][model]

    for part, tokens in {"input": 1, "output": 2, "read": 3, "write": 4}.items():
        counts = [0, 0, 0, 0]
        counts[tokens - 1] = 50_000
        assert priced(Usage(model, *counts)).cost == pytest.approx(table[part] / 20)


def test_a_snapshot_costs_what_its_model_costs():
    assert priced(Usage("claude-haiku-4-5-20251001", MILLION)).cost == 1.0


def test_a_long_prompt_has_its_own_price():
    short, long = (
        priced(Usage("claude-haiku-5-5", tokens, 1_000, 1_000)).cost for tokens in (99_000, 99_001)
    )

    assert short == pytest.approx(0.00991 + 0.0005 + 0.00001 - 0.00001)
    assert long > 4 * short


def test_unknown_models_have_no_cost_and_neither_have_sums_with_them():
    known, unknown = priced(Usage("claude-opus-5-5", MILLION)), priced(Usage("else", MILLION))

    assert (known.cost, unknown.cost) == (4.0, None)
    assert added([known, known]).cost == 8.0
    assert added([known, unknown]) == Usage("else", 2 * MILLION, cost=None)
    assert added([]) is None


def test_the_table_is_dated():
    assert isinstance(TABLE["as_of"], date)
    assert re.match(r"claude-", next(iter(TABLE["models"])))
