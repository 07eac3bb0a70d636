import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_core.analysis import AnalysisAnswer, AnswerInvalid, parse_answer
from aiops_core.records import CodeSample, Edit, Usage

MINIMAL = {"title": "t", "summary": "s", "root_cause": "r", "confidence": 0.5}
EDIT = {"kind": "replace", "path": "app.py", "search": "a = 1", "replace": "a = 2"}


def answer(**changes):
    return {**MINIMAL, **changes}


def refused(answer, ids=None):
    with pytest.raises(AnswerInvalid) as caught:
        parse_answer(answer, ids)
    return str(caught.value)


def test_a_whole_answer_becomes_an_analysis():
    given_answer = answer(
        title="Total is\nNone \x1b[31mhere",
        repair_steps=["one", " "],
        code_samples=[{"title": "x", "code": "a\tb\n", "language": "py"}],
        prevention=["test it"],
        cited=["E1", "E1"],
        confidence=0.9,
        edits=[EDIT, {"kind": "create", "path": "tests/test_a.py", "replace": "x\r\n"}],
    )

    analysis = parse_answer(json.dumps(given_answer), ["E1"], analyzer="claude", usage=Usage("m"))

    assert analysis.title == "Total is None here"
    assert analysis.repair_steps == ("one",)
    assert analysis.code_samples == (CodeSample("x", "a\tb\n", "py"),)
    assert (analysis.cited, analysis.provable, analysis.confidence) == (("E1",), True, 0.9)
    assert analysis.edits == (
        Edit("replace", "app.py", "a = 1", "a = 2"),
        Edit("create", "tests/test_a.py", replace="x\r\n"),
    )
    assert (analysis.analyzer, analysis.usage) == ("claude", Usage("m"))


@pytest.mark.parametrize(
    "wrap",
    [
        "{}",
        "Here it is:\n\n{}\n\nHope it helps.",
        "```json\n{}\n```",
        "First {{prose}}, then\n```\n{}\n```\n",
        "\ufeff {} ",
    ],
)
def test_prose_round_the_answer_is_read_over(wrap):
    assert parse_answer(wrap.format(json.dumps(answer(root_cause='a "}" b')))).root_cause == 'a "}" b'


def test_cited_evidence_that_does_not_exist_makes_the_analysis_unprovable():
    analysis = parse_answer(answer(cited=["E1", "E9"], confidence=1), ["E1", "E2"])

    assert (analysis.cited, analysis.provable) == (("E1",), False)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "answer: it holds no whole JSON object. Answer with one JSON object and nothing else."),
        ("I cannot help with that.", "no whole JSON object"),
        ("[1, 2]", "no whole JSON object"),
        (json.dumps(MINIMAL)[:-20], "no whole JSON object"),
        (json.dumps(MINIMAL).replace("0.5", "NaN"), "no whole JSON object"),
        ("[" * 100_000, "no whole JSON object"),
        (
            f"{json.dumps(MINIMAL)}\nor\n{json.dumps(MINIMAL)}",
            "2 JSON objects, alternatives perhaps. Give one.",
        ),
        ("x" * 1_000_001, "answer: 1000001 characters are too many, 1000000 are allowed."),
        (
            '{"title": "a", "edits": [], "edits": []}',
            "'edits' stands twice in one object, alternatives perhaps",
        ),
        ("\x00\xff{{{", "no whole JSON object"),
    ],
)
def test_what_is_not_exactly_one_object_is_refused(text, says):
    assert says in refused(text)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"title": ""}, "answer: 'title': String should have at least 1 character."),
        ({"confidence": 85}, "answer: 'confidence': Input should be less than or equal to 1."),
        ({"confidence": None}, "'confidence'"),
        ({"summary": "x" * 3_001}, "answer: 'summary': String should have at most 3000 characters."),
        ({"repair_steps": ["x"] * 21}, "answer: 'repair_steps': List should have at most 20 items"),
        ({"repair_steps": ["x" * 2_001]}, "answer: 'repair_steps.0'"),
        ({"command": "rm -rf /"}, "answer: 'command' is no key of an answer. Leave it out."),
        ({"alternatives": []}, "answer: 'alternatives' proposes alternatives. Propose one edit set or none."),
        ({"edits_2": []}, "'edits_2' proposes alternatives"),
        ({"edits": [[EDIT], [EDIT]]}, "answer: 'edits.0' is no edit: several edit sets are alternatives."),
        ({"edits": [EDIT, {**EDIT, "replace": "a = 3"}]}, "answer: it proposes alternatives: 'app.py' is edited twice"),
        ({"edits": [{**EDIT, "kind": "shell"}]}, "answer: 'edits.0.kind'"),
        ({"edits": [{**EDIT, "search": ""}]}, "answer: edits[1] (replace 'app.py'): 'search' is empty."),
        ({"edits": [{**EDIT, "kind": "delete"}]}, "'search' means nothing here. Leave it empty."),
        ({"edits": [{"kind": "rename", "path": "a"}]}, "'to' is empty. Name the new path."),
        ({"edits": [{**EDIT, "path": "a\u202ep.py"}]}, "the path holds invisible characters."),
        ({"edits": [{**EDIT, "replace": "k = '[redacted:setting:0a1b2c3d]'"}]}, "holds a redaction placeholder"),
        ({"edits": [EDIT] * 21}, "answer: 'edits': List should have at most 20 items"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_by_name(changes, says):
    assert says in refused(answer(**changes))


def test_invisible_characters_of_the_file_may_stay():
    edit = {**EDIT, "search": "\ufeffa", "replace": "\ufeffb"}

    assert parse_answer(answer(edits=[edit])).edits[0].replace == "\ufeffb"


def test_missing_keys_are_named():
    assert refused({"title": "t"}) == "answer: 'summary': Field required."


@given(st.text(max_size=200) | st.binary(max_size=100).map(lambda data: data.decode("latin-1")))
def test_r2_any_text_is_an_analysis_or_a_refusal(text):
    whole = json.dumps(MINIMAL)
    for candidate in (text, whole[: len(text)] + text, text + whole):
        try:
            parse_answer(candidate)
        except AnswerInvalid:
            continue


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*MINIMAL, "edits", "cited", "x"]), inner, max_size=5), max_leaves=12))  # fmt: skip
def test_r2_any_object_is_an_analysis_or_a_refusal(value):
    for candidate in (value if isinstance(value, dict) else {}, {**MINIMAL, "edits": value}):
        try:
            parse_answer(candidate)
        except AnswerInvalid:
            continue


def test_the_schema_says_what_every_field_is_for():
    schema = AnalysisAnswer.model_json_schema()

    assert all("description" in field for field in schema["properties"].values())
    assert schema["additionalProperties"] is False
