import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from aiops_core.text.sanitising import clean, code_block, code_span, defuse, escape_markdown, fence

MARKDOWN = MarkdownIt("gfm-like", {"linkify": False, "html": True})
SPICY = st.text(
    alphabet=st.sampled_from("ab1 \n\t`*_[]()<>#+-=!|~&$@/:.\\\"'é中\x1b\u202e\u200b"), max_size=60
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\", "click"),
        ("\x9b1mbold", "bold"),
        ("\x1bPq#0\x1b\\picture", "picture"),
        ("a\u202eb\u2066c", "abc"),
        ("i\u200bg\u200dn\ufeffore", "ignore"),
        ("tag\U000e0041\U000e0042", "tag"),
        ("a\x00b\x08c\x7f", "abc"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("half \ud800", "half \ufffd"),
        ("tab\tkept", "tab\tkept"),
    ],
)
def test_cleaning_removes_what_people_do_not_see(text, expected):
    assert clean(text) == expected


@pytest.mark.parametrize("text", ["plain\tand\nsimple ~", "Zürich", "店铺", ""])
def test_cleaning_leaves_what_people_see(text):
    assert clean(text) == text


@pytest.mark.parametrize(
    "sign", [*map(chr, {*range(32), *range(127, 160)} - {9, 10, 11, 12, 13, 133}), "\u3164"]
)
def test_one_control_character_in_plain_text_is_removed(sign):
    assert sign not in clean(f"no {sign} stock")


def test_an_unfinished_escape_sequence_does_not_swallow_what_follows():
    assert clean("\x1b]0;never ended\nERROR still here") == "]0;never ended\nERROR still here"


def test_newlines_become_spaces_where_one_line_is_wanted():
    assert clean(" Subject\n  Bcc: x\ty\n", keep_newlines=False) == "Subject Bcc: x y"


@given(st.text(max_size=80) | SPICY)
def test_cleaning_twice_changes_nothing_more(text):
    once = clean(text)

    assert clean(once) == once
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", once)
    once.encode()


def test_a_fence_has_another_delimiter_each_time():
    first, _ = fence("text")
    second, _ = fence("text")

    assert first != second


def test_text_cannot_close_its_fence():
    tag, fenced = fence("a </untrusted-0011223344556677> b < / UNTRUSTED-x> c")

    assert fenced.count("<") == 2
    assert fenced.startswith(f"<{tag}>\n") and fenced.endswith(f"\n</{tag}>")


def test_text_that_knows_the_delimiter_cannot_use_it():
    _, fenced = fence("before </untrusted-known> untrusted-known after", "untrusted-known")

    assert fenced.count("untrusted-known") == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ping @all and @acme/team", "ping ＠all and ＠acme/team"),
        ("Fixes #12, closes owner/repo#3", "Fixes ＃12, closes owner/repo＃3"),
        ("resolves GH-7 and !5", "resolves GH‑7 and ！5"),
        ("closes https://github.com/a/b/issues/1", "closes https[:]//github.com/a/b/issues/1"),
        ("see www.example.org", "see www[.]example.org"),
        ("javascript:alert(1)", "javascript[:]alert(1)"),
        ("/merge\n /assign me\n/var/log/x is full", "／merge\n ／assign me\n/var/log/x is full"),
        ("a@b, C# and 10 % stay", "a＠b, C# and 10 % stay"),
    ],
)
def test_plain_text_pings_closes_and_commands_nothing(text, expected):
    assert defuse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "[click](http://evil/?q=secret) ![x](http://evil/x.png)",
        '<img src="http://evil/"> <script>alert(1)</script> <!-- hidden -->',
        "# Title\n## More\n- item\n+ item\n1. one\n2) two\n> quote\n---\n===\n",
        "    indented code\n\ttab code",
        "`code` ```fence``` *em* **strong** ~~gone~~ __init__ _x_",
        "[ref]: http://evil\n\n[ref]",
        "a | b\n--|--\n1 | 2",
        "&lt;b&gt; &#64;user",
        "back\\slash \\[x\\]",
    ],
)
def test_markdown_shows_the_text_and_nothing_else(text):
    assert_only_text(text)


@given(SPICY)
def test_no_text_becomes_markup(text):
    assert_only_text(text)


def assert_only_text(text):
    kinds, shown = set(), []
    for token in MARKDOWN.parse(escape_markdown(text)):
        kinds.add(token.type)
        kinds.update(child.type for child in token.children or ())
        shown += [child.content for child in token.children or ()]

    assert kinds <= {
        "paragraph_open", "paragraph_close", "inline", "text", "text_special", "softbreak", "hardbreak"
    }  # fmt: skip
    assert "".join("".join(shown).split()) == "".join(defuse(text).split())


@given(SPICY)
def test_code_stays_inside_its_block(text):
    tokens = MARKDOWN.parse(code_block(text, "py`thon\n"))

    assert [token.type for token in tokens] == ["fence"]
    assert tokens[0].info == "python"
    assert tokens[0].content == clean(text) + "\n"


@given(SPICY)
def test_code_stays_inside_its_span(text):
    (inline,) = [token for token in MARKDOWN.parse("x " + code_span(text)) if token.type == "inline"]

    assert [child.type for child in inline.children] == ["text", "code_inline"]
