"""What is said in threads reads in the language of the pipeline; commands and labels stay as they are."""

import re
from pathlib import Path

import pytest

from aiops_core import replace
from aiops_core.records import TestRun
from aiops_core.repair import review_text, review_words
from aiops_core.repair.review_language import CHINESE
from aiops_core.testing.forge_scene import make_analysis, make_change

ZH, EN = review_words("zh"), review_words("en")
CHANGE = make_change("c" * 40)
PHRASES = [value for name, value in vars(review_text).items() if name.isupper() and isinstance(value, str)]


def test_every_phrase_is_translated_with_the_same_placeholders():
    source = Path(review_text.__file__).read_text()
    spoken = {*PHRASES, *re.findall(r'say\(\s*"([^"]+)"', source)}

    assert len(spoken) > 20
    assert spoken == set(CHINESE)
    for phrase, translation in CHINESE.items():
        assert sorted(re.findall(r"{\w+}", phrase)) == sorted(re.findall(r"{\w+}", translation)), phrase
        assert re.findall(r"/aiops \w+", phrase) == re.findall(r"/aiops \w+", translation), phrase


def test_an_answer_in_chinese_has_no_english_words_of_ours():
    said = review_text.made(ZH, make_analysis(), CHANGE, "c0ffee", is_proven=True)

    assert said == (
        "已在 c0ffee 中完成。\n\nThe sum is one too high.\n\n- `shop/cart.py` +1 −1\n\n"
        "测试 `pytest -q`：修复前 1 个失败，修复后 0 个失败。\n\n"
        "现在有测试在没有此修复时失败、有此修复时通过，因此该请求不再标记为未验证。"
    )


def test_an_explanation_says_cause_steps_tests_and_prevention():
    analysis = replace(make_analysis(), repair_steps=("Start at 0.",), prevention=("Test sums.",))

    assert review_text.explanation(EN, analysis, CHANGE) == (
        "**Root cause** (90% sure)\n\nA stray + 1.\n\n**Repair**\n\n- Start at 0.\n\n"
        "Tests, `pytest -q`: 1 failure before, 0 failures after.\n\n**Prevention**\n\n- Test sums."
    )
    assert review_text.explanation(EN, None, None) == "There is no analysis on record for this request."


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (TestRun("make test", 2, 0.1), "exit code 2"),
        (TestRun("make test", 0, 0.1, timed_out=True), "time limit"),
        (TestRun("make test", 1, 0.1, failed=("a", "b")), "2 failures"),
    ],
)
def test_how_tests_ended_is_said_as_far_as_it_is_known(run, said):
    change = replace(CHANGE, before=run)

    assert f": {said} before, 0 failures after." in review_text.made(EN, make_analysis(), change, "c0ffee")


def test_without_a_change_the_reason_is_said_or_what_the_analysis_says():
    assert review_text.not_made(EN, make_analysis(), "a test fails") == "Not done: a test fails"
    assert review_text.not_made(EN, make_analysis()) == "Nothing was changed.\n\nThe sum is one too high."
    assert review_text.not_made(ZH, None) == "没有任何改动。"
