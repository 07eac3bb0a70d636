import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_core.analysis import AnswerInvalid, parse_answer
from aiops_core.records import Edit

SAID = json.dumps({"title": "t", "summary": "s", "root_cause": "r", "confidence": 0.9})
SECTION = "<<<<<<< SEARCH\n    a = 1\n=======\n    a = 2\n>>>>>>> REPLACE\n"
EDIT = Edit("replace", "src/a.py", "    a = 1\n", "    a = 2\n")


def block(body="", attributes='filename="src/a.py"'):
    return f"<code_block {attributes}>\n{body}</code_block>\n"


def edits(*blocks, said=SAID):
    return list(parse_answer("\n".join([said, *blocks])).edits)


def refused(*blocks, said=SAID):
    with pytest.raises(AnswerInvalid) as caught:
        edits(*blocks, said=said)
    return str(caught.value)


def test_every_kind_of_edit_has_its_block():
    found = edits(
        block(SECTION),
        block("x = 1\n\ny = 2\n", 'filename="src/new.py" action="create"'),
        block("whole\n", 'filename="docs/new.md"'),
        block("", 'filename="old.py" action="delete"'),
        '<code_block filename="b.py" action="rename" to="c.py"/>',
        '<code_block filename="old_too.py" action="delete"></code_block>',
    )

    assert found == [
        EDIT,
        Edit("create", "src/new.py", replace="x = 1\n\ny = 2\n"),
        Edit("create", "docs/new.md", replace="whole\n"),
        Edit("delete", "old.py"),
        Edit("rename", "b.py", to="c.py"),
        Edit("delete", "old_too.py"),
    ]


def test_a_block_may_hold_several_sections():
    other = SECTION.replace("a =", "b =")

    assert edits(block(f"{SECTION}\n{other}")) == [
        EDIT,
        Edit("replace", "src/a.py", "    b = 1\n", "    b = 2\n"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"{SAID}\n{block(SECTION)}",
        f"First the cause.\n\n{SAID}\n\nThen the fix:\n\n{block(SECTION)}\nThat is all.",
        f"```json\n{SAID}\n```\n{block(SECTION)}",
        f"{block(SECTION)}\n{SAID}",
        f"{SAID}\n{block(f'```python{chr(10)}{SECTION}```{chr(10)}')}",
        f"{SAID}\n{block(SECTION, 'filename=src/a.py')}",
        f"{SAID}\n{block(SECTION, chr(39).join(['filename=', 'src/a.py', '']))}",
        f"{SAID}\n  {block(SECTION)}",
        f"{SAID}\n{block(SECTION, 'filename=src/a.py action=replace')}",
        f"{SAID}\n{block(SECTION.replace('<<<<<<< S', '<<<<<<<<< S').replace('=======', '=' * 9).replace('>>>>>>>', '>' * 9))}",
    ],
)
def test_what_stands_round_the_blocks_is_read_over(text):
    assert list(parse_answer(text).edits) == [EDIT]


def test_windows_line_ends_are_carried_as_they_are():
    (found,) = edits(block(SECTION).replace("\n", "\r\n"))

    assert found == Edit("replace", "src/a.py", "    a = 1\r\n", "    a = 2\r\n")


def test_lines_are_deleted_by_nothing_in_their_place():
    assert edits(block("<<<<<<< SEARCH\nx\n=======\n>>>>>>> REPLACE\n"))[0].replace == ""


def test_longer_marks_carry_text_that_looks_like_a_mark():
    body = "<<<<<<<< SEARCH\nTitle\n=======\n========\nHeading\n=======\n>>>>>>>> REPLACE\n"

    assert edits(block(body)) == [Edit("replace", "src/a.py", "Title\n=======\n", "Heading\n=======\n")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (block(SECTION).removesuffix("</code_block>\n"), "the code block of 'src/a.py' has no </code_block>. Write it whole."),
        (block(SECTION[:-20]), "it has no whole section. Write '<<<<<<< SEARCH'"),
        (block("x\n", 'filename="a.py" action="replace"'), "'x' stands outside SEARCH and REPLACE."),
        (block(SECTION + "also\n"), "'also' stands outside SEARCH and REPLACE."),
        (block(SECTION.replace("=======\n", "")), "there are 0 lines of 7 '='"),
        (block(SECTION.replace("=======\n", "=======\n=======\n")), "there are 2 lines of 7 '='"),
        (block(SECTION, 'filename="a.py" action="create"'), "SEARCH sections belong to action=\"replace\"."),
        (block("x\n", 'filename="a.py" action="delete"'), "to delete a file takes no text."),
        (block("", 'filename="a.py" action="rename"'), "'to' belongs to action=\"rename\""),
        (block("x\n", 'filename="a.py" to="b.py"'), "'to' belongs to action=\"rename\""),
        (block("x\n", 'filename="a.py" action="shell"'), "action 'shell' is none of create, replace"),
        (block("x\n", 'path="a.py"'), "is not in the format."),
        (block("x\n", 'filename="a.py" filename="b.py"'), "is not in the format."),
        (block("x\n", 'filename=""'), "a <code_block> has no filename."),
        (block("x\n", 'filename="a\u202e.py"'), "the path holds invisible characters."),
        (block("k = '[redacted:github-token:0a1b2c3d]'\n", 'filename="a.py"'), "holds a redaction placeholder"),
        (block(SECTION) + block(SECTION.replace("a = 2", "a = 3")), "it proposes alternatives: 'src/a.py' is edited twice"),
    ],
)  # fmt: skip
def test_r24_a_block_that_is_not_whole_or_not_in_the_format_is_refused(text, says):
    assert says in refused(text)


def test_edits_in_both_places_are_alternatives():
    said = json.loads(SAID) | {"edits": [{"kind": "delete", "path": "b.py"}]}

    assert refused(block(SECTION), said=json.dumps(said)) == (
        "answer: it has edits in the JSON object and in code blocks, alternatives perhaps. Use one of them."
    )


def test_blocks_without_the_object_are_no_answer():
    assert "it holds no whole JSON object" in refused(block(SECTION), said="")


def test_a_block_inside_a_string_of_the_object_is_text():
    said = json.loads(SAID) | {"summary": block(SECTION)}

    assert edits(said=json.dumps(said)) == []


def test_s3_text_of_an_answer_that_is_no_block_does_nothing():
    assert edits("```bash\nrm -rf /\n```", "<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE") == []


@given(st.text(alphabet='<code_block filename="a">/=SEARCHREPLACE\n `{}', max_size=80))
def test_r2_any_text_with_blocks_is_edits_or_a_refusal(text):
    for answer in (f"{SAID}\n{text}", f"{SAID}\n{block(text)}"):
        try:
            parse_answer(answer)
        except AnswerInvalid:
            continue


def test_r2_a_cut_answer_is_never_another_edit():
    whole = f"{SAID}\n{block(SECTION)}{block('x = 1', 'filename=n.py')}"
    chance = random.Random(4)
    for end in chance.sample(range(len(SAID) + 2, len(whole) - 2), 60):
        try:
            cut = parse_answer(whole[:end]).edits
        except AnswerInvalid:
            continue
        assert cut in ((), (EDIT,))
