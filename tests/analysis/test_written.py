import json

import pytest

from aiops_core.analysis import IncidentMatch, read_entries
from aiops_core.errors import UserError
from aiops_core.settings import Config


class Written(Config):
    match: IncidentMatch
    answer: str


GOOD = "- match: {type: A}\n  answer: one\n- match:\n    type: B\n  answer: two\n"


def refused(path):
    with pytest.raises(UserError) as caught:
        read_entries(path, Written)
    return str(caught.value).replace(str(path), "FILE")


def test_entries_know_where_they_stand(tmp_path):
    file = tmp_path / "answers.yaml"
    file.write_text(GOOD)

    entries = read_entries(file, Written)

    assert [entry.value.answer for entry in entries] == ["one", "two"]
    assert entries[1].place == f"{file}:3: [1]"


def test_a_directory_is_read_in_name_order(tmp_path):
    (tmp_path / "b.yaml").write_text(GOOD)
    (tmp_path / "a.json").write_text(json.dumps([{"match": {"type": "C"}, "answer": "zero"}]))
    (tmp_path / "notes.txt").write_text("{")

    assert [entry.value.answer for entry in read_entries(tmp_path, Written)] == ["zero", "one", "two"]


def test_an_empty_file_has_no_entries(tmp_path):
    (tmp_path / "a.yaml").write_text("# nothing yet\n")

    assert read_entries(tmp_path / "a.yaml", Written) == []


def test_all_mistakes_are_named_with_their_places(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text(
        "- match: {}\n  answer: x\n- match:\n    type: A\n    mesage: b\n- match: {type: A}\n  answer: 3\n"
    )

    assert refused(file).split("\n") == [
        "FILE:1: [0].match: it would fit every incident: give at least one of type, message, text, function, "
        "file, fingerprint.",
        "FILE:5: [1].match.mesage: Extra inputs are not permitted.",
        "FILE:3: [1].answer: Field required.",
        "FILE:7: [2].answer: Input should be a valid string.",
    ]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.yaml", b"- match: {type: A\n", "FILE:2: no valid YAML: "),
        (
            "a.yaml",
            b"match: {}\n",
            "FILE:1: it holds no list. Write one entry after the other, each with a dash.",
        ),
        ("a.yaml", b"- answer: 1\n  answer: 2\n", "FILE:2: 'answer' is written twice. Keep one."),
        ("a.yaml", b"- \xff\n", "FILE: not UTF-8 at byte 2. Save it as UTF-8."),
        ("a.yaml", b"[" * 2000, "FILE:1: no valid YAML: it is nested too deep."),
        (
            "a.yaml",
            b"- !!python/object:os.system {}\n",
            "FILE:1: no valid YAML: could not determine a constructor",
        ),
        ("a.json", b"[\n{]", "FILE:2: no valid JSON: "),
        ("a.json", b"{}", "FILE:1: it holds no list."),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, name, content, says):
    file = tmp_path / name
    file.write_bytes(content)

    assert refused(file).startswith(says)


def test_a_missing_file_and_an_empty_directory_are_named(tmp_path):
    assert refused(tmp_path / "no.yaml") == "FILE: No such file or directory. Correct the path."
    assert refused(tmp_path) == "FILE: no .yaml, .yml or .json file in this directory. Put one there."


def test_aliases_that_repeat_each_other_cost_nothing(tmp_path):
    file = tmp_path / "a.yaml"
    levels = "".join(f"- &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 20))
    file.write_text(f"- &a0 [x]\n{levels}")

    assert refused(file).startswith("FILE:1: [0]: ")
