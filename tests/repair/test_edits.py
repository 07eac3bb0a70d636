import random
import time

import pytest

from aiops_core.errors import Refused
from aiops_core.records import Edit
from aiops_core.repair.edits import MAX_FILE, apply_edits, matches

PLAIN = b"def total(items):\n    price = items['price']\n    return price\n"


def replace(path, search, new):
    return Edit("replace", path, search=search, replace=new)


def edited(content, search, new):
    (file,) = apply_edits([replace("a.py", search, new)], {"a.py": content}.get)
    return file.content


def refusal(edits, files, **options):
    with pytest.raises(Refused) as caught:
        apply_edits(edits, files.get, **options)
    return caught.value


def test_r4_one_exact_match_is_replaced_and_nothing_else():
    assert edited(PLAIN, "items['price']", "items.get('price')") == PLAIN.replace(
        b"['price']", b".get('price')"
    )


@pytest.mark.parametrize(
    ("content", "search", "new", "expected"),
    [
        (b"a\r\nb\r\nc\r\n", "a\nb\n", "a\nB\nB2\n", b"a\r\nB\r\nB2\r\nc\r\n"),
        (b"a\r\nb\r\nc\r\n", "a\r\nb\r\n", "a\r\nB\r\n", b"a\r\nB\r\nc\r\n"),
        (b"a\nb\r\nc\nd\r\n", "b\nc\n", "b\nC\n", b"a\nb\r\nC\nd\r\n"),
        (b"a\nb\r\nc\nd\r\n", "a\nb\nc\nd\n", "a\nb\nx\nc\nd\n", b"a\nb\r\nx\r\nc\nd\r\n"),
        (b"\xef\xbb\xbfa\nb\n", "a\n", "A\n", b"\xef\xbb\xbfA\nb\n"),
        (b"\xef\xbb\xbfa\nb\n", "\ufeffa\n", "\ufeffA\n", b"\xef\xbb\xbfA\nb\n"),
        (b"a\nb", "b", "B", b"a\nB"),
        (b"a\nb", "b\n", "B\n", b"a\nB"),
        (b"a\nb\n", "b\n", "B", b"a\nB"),
        (
            "caf\xe9 = 1\nx = 2\n".encode("latin-1"),
            "x = 2",
            "x = 3",
            "caf\xe9 = 1\nx = 3\n".encode("latin-1"),
        ),
        ("caf\xe9 = 1\n".encode("latin-1"), "café = 1", "café = 2", "café = 2\n".encode("latin-1")),
        (
            "# -*- coding: gbk -*-\n# 价格\nx = 1\n".encode("gbk"),
            "# 价格\nx = 1",
            "# 总价\nx = 2",
            "# -*- coding: gbk -*-\n# 总价\nx = 2\n".encode("gbk"),
        ),
        ("x = '价格'\n".encode(), "价格", "总价", "x = '总价'\n".encode()),
        (b"\tif x:\n\t\ty()\n", "\t\ty()", "\t\tz()", b"\tif x:\n\t\tz()\n"),
        (b"a\rb\nc\n", "c", "C", b"a\rb\nC\n"),
        (b"a = 1  \nb = 2\n", "b = 2", "b = 3", b"a = 1  \nb = 3\n"),
        (b"only\n", "only\n", "", b""),
        (
            b"\xff\xfe" + "a\r\nprix = '€'\r\n".encode("utf-16-le"),
            "prix = '€'\n",
            "prix = '£'\n",
            b"\xff\xfe" + "a\r\nprix = '£'\r\n".encode("utf-16-le"),
        ),
        (
            b"\xfe\xff" + "a\nb\n".encode("utf-16-be"),
            "\ufeffa\n",
            "\ufeffA\n",
            b"\xfe\xff" + "A\nb\n".encode("utf-16-be"),
        ),
    ],
)
def test_r16_every_untouched_byte_stays(content, search, new, expected):
    assert edited(content, search, new) == expected


def test_r16_random_files_with_mixed_line_ends_change_in_one_line_only():
    chance = random.Random(7)
    for _ in range(200):
        lines = [f"line {n} {chance.random()}" for n in range(chance.randrange(1, 30))]
        raw = [line.encode() + chance.choice([b"\n", b"\r\n"]) for line in lines]
        at = chance.randrange(len(raw))
        first, last = max(at - 2, 0), min(at + 3, len(raw))
        search = "\n".join(lines[first:last]) + "\n"
        new = search.replace(lines[at] + "\n", "changed\n")

        after = edited(b"".join(raw), search, new).splitlines(keepends=True)

        assert len(after) == len(raw)
        assert [n for n, (one, two) in enumerate(zip(raw, after, strict=True)) if one != two] == [at]
        assert after[at].endswith(b"\r\n") == raw[at].endswith(b"\r\n")


def test_r4_a_search_found_twice_names_the_lines():
    error = refusal([replace("a.py", "x = 1", "x = 2")], {"a.py": b"x = 1\ny\nx = 1\n"})

    assert error.rule == "search"
    assert str(error) == (
        "edits[0] (a.py): the search text occurs 2 times, at lines 1, 3. Quote more lines, so that it is unique."
    )


def test_r4_a_search_found_very_often_does_not_list_all():
    error = refusal([replace("a.py", "x", "y")], {"a.py": b"x\n" * 500})

    assert "occurs 10 times or more, at lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10." in str(error)


def test_r4_overlapping_matches_are_several():
    assert "occurs 2 times" in str(refusal([replace("a.py", "aba", "c")], {"a.py": b"ababa\n"}))


def test_r4_a_search_found_nowhere_shows_the_nearest_lines():
    error = refusal([replace("a.py", "    price = item['price']\n    return price\n", "")], {"a.py": PLAIN})

    assert error.rule == "search"
    assert str(error) == (
        "edits[0] (a.py): the search text is not in the file. The nearest is at lines 2 to 3; "
        "quote it exactly as it is:\n    price = items['price']\n    return price"
    )


def test_r4_a_search_unlike_anything_says_so():
    error = refusal([replace("a.py", "@@@@@@@@@@", "")], {"a.py": PLAIN})

    assert str(error) == (
        "edits[0] (a.py): the search text is not in the file. Quote the lines exactly as they are."
    )


@pytest.mark.parametrize("search", ["", "\n", "  \n "])
def test_r4_an_empty_search_is_refused(search):
    assert "the search text is empty" in str(refusal([replace("a.py", search, "x")], {"a.py": PLAIN}))


@pytest.mark.parametrize(
    ("content", "search", "new", "expected"),
    [
        (
            b"class A:\n    def f(self):\n        return 1\n",
            "def f(self):\n    return 1",
            "def f(self):\n    if self:\n        return 2\n    return 1",
            b"class A:\n    def f(self):\n        if self:\n            return 2\n        return 1\n",
        ),
        (
            b"def f():\n\treturn 1\n",
            "    def f():\n    \treturn 1",
            "    def f():\n    \treturn 2",
            b"def f():\n\treturn 2\n",
        ),
        (b"if x:   \n    y()\n", "if x:\n    y()", "if x:\n    z()", b"if x:   \n    z()\n"),
        (b"a\n  b\n  c\nd\n", "\n\nb\nc\n\n", "\n\nb\nC\n\n", b"a\n  b\n  C\nd\n"),
        (b"  a\r\n  b\r\n", "a\nb", "a\nB", b"  a\r\n  B\r\n"),
        (b"  a\n\n  b\n", "a\n\nb", "a\n\nB", b"  a\n\n  B\n"),
    ],
)
def test_r4_a_uniform_shift_of_blanks_is_tolerated_and_kept(content, search, new, expected):
    assert edited(content, search, new) == expected


@pytest.mark.parametrize(
    ("content", "search"),
    [
        (b"  a\n  b\nx\n    a\n    b\n", "a\nb"),
        (b"  a\n    b\n", "a\nb"),
        (b"\ta\n    b\n", "a\nb"),
    ],
)
def test_r4_a_shift_that_is_ambiguous_or_uneven_is_refused(content, search):
    assert refusal([replace("a.py", search, "c")], {"a.py": content}).rule == "search"


@pytest.mark.parametrize("end", ["\n", ""])
def test_r4_one_line_quoted_without_its_indentation_is_shifted_like_more(end):
    content = "def f(x):\n    return x + 1\n\n\ndef g(x):\n    return x\n"

    (file,) = apply_edits(
        [Edit("replace", "a.py", search=f"return x + 1{end}", replace=f"y = x\nreturn y + 1{end}")],
        lambda path: content.encode(),
    )

    assert file.content.decode() == content.replace("    return x + 1\n", "    y = x\n    return y + 1\n")


def test_r4_an_exact_match_is_preferred_to_a_shifted_one():
    assert edited(b"    a\n    b\nx\na\nb\n", "x\na\nb", "x\nA\nb") == b"    a\n    b\nx\nA\nb\n"


def test_several_edits_of_one_file_apply_in_order():
    edits = [replace("a.py", "one", "two"), replace("a.py", "two", "three")]

    (file,) = apply_edits(edits, {"a.py": b"one\n"}.get)

    assert file.content == b"three\n"


def test_r5_one_bad_edit_stops_all():
    files = {"a.py": b"a\n", "b.py": b"b\n"}

    error = refusal([replace("a.py", "a", "A"), replace("b.py", "nothing", "x")], files)

    assert str(error).startswith("edits[1] (b.py): ")
    assert files == {"a.py": b"a\n", "b.py": b"b\n"}


def test_r16_r17_create_delete_and_rename_are_explicit():
    files = {"a.py": b"a\n", "b.py": b"b\n", "c.py": b"c\n"}
    edits = [
        Edit("create", "new.py", replace="n\n"),
        replace("new.py", "n", "N"),
        Edit("delete", "a.py"),
        Edit("rename", "b.py", to="d.py"),
        replace("c.py", "c\n", ""),
    ]

    changed = apply_edits(edits, files.get, mode=lambda path: "100755" if path == "b.py" else "100644")

    assert [(file.path, file.content, file.mode) for file in changed] == [
        ("a.py", None, "100644"),
        ("b.py", None, "100755"),
        ("c.py", b"", "100644"),
        ("d.py", b"b\n", "100755"),
        ("new.py", b"N\n", "100644"),
    ]


@pytest.mark.parametrize(
    ("edit", "rule"),
    [
        (Edit("create", "a.py", replace="x"), "path"),
        (Edit("delete", "missing.py"), "path"),
        (Edit("rename", "missing.py", to="new.py"), "path"),
        (Edit("rename", "a.py", to="b.py"), "path"),
        (Edit("replace", "missing.py", search="a", replace="b"), "path"),
        (Edit("replace", "a.py", search="a", replace="a"), "no-op"),
        (Edit("replace", "a.py", search="a", replace="— ’"), ""),
        (Edit("replace", "latin.py", search="x", replace="€"), "not-text"),
        (Edit("replace", "latin.py", search="x", replace="\u200b"), "invisible-characters"),
        (Edit("replace", "binary", search="x", replace="y"), "not-text"),
        (Edit("replace", "lfs.bin", search="oid", replace="y"), "not-text"),
        (Edit("replace", "gen.py", search="x", replace="y"), "generated"),
        (Edit("replace", "gen.go", search="x", replace="y"), "generated"),
        (Edit("create", "new.bin", replace="\0"), "not-text"),
        (Edit("create", "big.txt", replace="x" * (MAX_FILE + 1)), "size"),
    ],
)
def test_r17_s32_what_cannot_be_done_is_refused_by_rule(edit, rule):
    files = {
        "a.py": b"a\n",
        "b.py": b"b\n",
        "latin.py": "é x\n".encode("latin-1"),
        "binary": b"\x7fELF\x00x\x01",
        "lfs.bin": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
        "gen.py": b"# @generated by a tool\nx\n",
        "gen.go": b"// Code generated by protoc. DO NOT EDIT.\nx\n",
    }
    if not rule:
        apply_edits([edit], files.get)
        return

    assert refusal([edit], files).rule == rule


def test_a_set_that_ends_where_it_began_is_refused():
    edits = [replace("a.py", "a", "b"), replace("a.py", "b", "a")]

    assert str(refusal(edits, {"a.py": b"a\n"})) == (
        "the edits change nothing. Propose a change that fixes the problem."
    )
    assert refusal([], {}).rule == "no-op"


def test_too_many_edits_are_refused_before_any_is_looked_at():
    assert refusal([replace("a.py", "a", "b")] * 201, {}).rule == "size"


def test_s11_what_is_added_is_seen_in_any_encoding():
    content = b"\xff\xfe" + "a\n".encode("utf-16-le")
    seen = []

    apply_edits([replace("a.py", "a", "key")], {"a.py": content}.get, inspect=lambda *what: seen.append(what))

    assert seen == [("a.py", "\ufeffkey")]
    weakened = refusal([replace("a.py", "a", "def test():  # noqa")], {"a.py": content})
    assert weakened.rule == "checks-silenced"


def test_s11_the_inspection_sees_added_text_only_and_may_refuse():
    seen = []

    apply_edits(
        [replace("a.py", "b", "B\nC")], {"a.py": b"a\nb\nd\n"}.get, inspect=lambda *what: seen.append(what)
    )

    assert seen == [("a.py", "B\nC")]


def test_matching_is_as_strict_as_applying():
    assert matches(b"a\r\nb\r\n", "a\nb")
    assert not matches(b"a\na\n", "a")
    assert not matches(b"\0a", "a")
    assert not matches(None, "a")


def test_r2_mutated_answers_only_ever_give_changes_or_refusals():
    chance = random.Random(3)
    alphabet = "ab\n\r\t \0é价\ufeff\ud800@#'\"\\"
    for _ in range(2000):
        text = "".join(chance.choice(alphabet) for _ in range(chance.randrange(12)))
        other = "".join(chance.choice(alphabet) for _ in range(chance.randrange(12)))
        content = "".join(chance.choice(alphabet[:-6]) for _ in range(40)).encode()
        edit = Edit(chance.choice(["replace", "create", "delete"]), "a.py", search=text, replace=other)
        try:
            apply_edits([edit], {"a.py": content}.get if edit.kind != "create" else {}.get)
        except Refused:
            continue


def test_monotonous_files_take_no_noticeable_time():
    lines = b"a\n" * 200_000
    started = time.process_time()

    refusal([replace("a.py", "  a\n" * 900 + "x", "b")], {"a.py": lines})
    refusal([replace("a.py", "  a\n" * 900, "b")], {"a.py": lines})
    apply_edits([replace("a.py", "x\n", "y\n" * 5)], {"a.py": lines + b"x\r\n" + lines}.get)

    assert time.process_time() - started < 10


@pytest.mark.parametrize("added", ["c\u043eunt = 1", "\u0441ount = 1", "\U0001d41eval(x)"])
def test_s2_a_word_of_letters_that_look_like_others_is_refused(added):
    error = refusal([replace("a.py", "x = 1", added)], {"a.py": b"x = 1\n"})

    assert error.rule == "invisible-characters"
    assert "letters that look like others" in str(error)


@pytest.mark.parametrize(
    "added", ["\u2714\ufe0f", "\U0001f468\u200d\U0001f469", "\u03bcs \u0394t", "\u043a\u043e\u0434"]
)
def test_pictures_and_other_scripts_may_be_written(added):
    (file,) = apply_edits([replace("a.py", "x", f"{added}")], {"a.py": b"x\n"}.get)

    assert file.content == f"{added}\n".encode()
