import random
import subprocess

from aiops_core.records import ChangedFile
from aiops_core.repair.diff import added_text, count_lines, unified_diff


def test_a_diff_is_one_that_git_applies(repository):
    before = {
        "src/a.py": b"one\ntwo\nthree\n",
        "crlf.txt": b"a\r\nb\r\n",
        "end.txt": b"no end",
        "gone.py": b"bye\n",
    }
    repository.commit(before)
    after = (
        ChangedFile("src/a.py", b"one\n2\nthree\nfour\n"),
        ChangedFile("crlf.txt", b"a\r\nB\r\n"),
        ChangedFile("end.txt", b"no end still"),
        ChangedFile("gone.py", None),
        ChangedFile("new.py", b"hello\n"),
    )

    diff = unified_diff(before, after)

    run = ["git", "apply", "--whitespace=nowarn", "-"]
    subprocess.run(run, cwd=repository.path, input=diff.encode(), check=True)
    for file in after:
        place = repository.path / file.path
        assert (place.read_bytes() if place.exists() else None) == file.content


def test_lines_are_counted_in_all_and_by_file():
    after = (ChangedFile("a.py", b"--- x\n+++ y\n"), ChangedFile("b.py", b"z\n"))

    diff = unified_diff({"a.py": b"old\n"}, after)

    assert count_lines(diff) == (3, 1)
    assert count_lines(diff, "a.py") == (2, 1)
    assert count_lines(diff, "b.py") == (1, 0)
    assert added_text(diff, "a.py") == "--- x\n+++ y"


def test_a_one_line_change_in_latin_1_is_one_line():
    diff = unified_diff({"a.py": b"\xe9\nx\n"}, [ChangedFile("a.py", b"\xe9\ny\n")])

    assert count_lines(diff) == (1, 1)


def test_random_changes_of_long_files_apply_too(repository):
    chance = random.Random(5)
    before = {}
    for number in range(20):
        lines = [f"{chance.randrange(5)}\n" for _ in range(chance.randrange(60))]
        before[f"{number}.txt"] = "".join(lines).encode() + chance.choice([b"", b"end"])
    repository.commit(before)
    after = []
    for path, content in before.items():
        lines = content.split(b"\n")
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(lines) + 1)
            lines[at : at + chance.randrange(3)] = [b"new"] * chance.randrange(3)
        after.append(ChangedFile(path, b"\n".join(lines)))

    diff = unified_diff(before, after)

    run = ["git", "apply", "--whitespace=nowarn", "--unidiff-zero", "-"]
    subprocess.run(run, cwd=repository.path, input=diff.encode(), check=True)
    assert {file.path: (repository.path / file.path).read_bytes() for file in after} == {
        file.path: file.content for file in after
    }
