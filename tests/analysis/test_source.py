from textwrap import dedent

import pytest

from aiops_core.analysis.source import Excerpt, enclosing, numbered

FILLER = [""] * 200


def shown(path, code, marker="BOOM"):
    """Return the lines of the excerpt round the marked line of a long file."""
    lines = [*FILLER, *dedent(code).strip("\n").split("\n"), *FILLER]
    line = next(number for number, text in enumerate(lines, 1) if marker in text)
    excerpt = enclosing(path, lines, line)
    return [text for text in lines[excerpt.start - 1 : excerpt.end] if text]


def body(count, indent="    ", text="step()", comment="#"):
    return "\n".join(f"{indent}{text}  {comment} {number}" for number in range(count))


def test_a_small_file_is_shown_whole():
    assert enclosing("a.py", ["x"] * 150, 70) == Excerpt(1, 150)


def test_a_line_beyond_the_file_is_no_error():
    assert enclosing("a.py", ["x"] * 200, 900).end == 200
    assert enclosing("a.py", [], 1) == Excerpt(1, 0)


def test_a_python_function_comes_with_its_decorators_and_without_its_neighbours():
    code = f"def before():\n{body(12)}\n\n@route('/')\n@auth\ndef target(a):\n{body(12)}\n    BOOM\n{body(12)}\n\ndef after():\n{body(12)}\n"

    lines = shown("a.py", code)

    assert lines[0] == "@route('/')"
    assert lines[-1] == "    step()  # 11"
    assert "def before():" not in lines and "def after():" not in lines


def test_a_python_file_that_does_not_parse_is_cut_by_its_indentation():
    code = f"print 'old'\ndef target(a):\n{body(12)}\n    if x:\n        BOOM\n{body(12)}\nafter = 1\n"

    lines = shown("a.py", code)

    assert (lines[0], lines[-1]) == ("def target(a):", "    step()  # 11")


@pytest.mark.parametrize(
    ("path", "header", "footer"),
    [
        ("A.java", "public Total sum(\n    List<Item> items) throws IOException {", "}"),
        ("a.go", "func (s *Server) Sum(items []Item) (int, error) {", "}"),
        ("a.js", "const sum = async (items) => {", "};"),
        ("a.ts", "export function sum<T>(items: T[]): number {", "}"),
        ("a.rs", "pub fn sum(items: &[Item]) -> Result<u32> {", "}"),
        ("a.cs", "public int Sum(List<Item> items)\n{", "}"),
    ],
)
def test_a_braced_function_is_found(path, header, footer):
    steps = body(12, text="step();", comment="// }")
    inner = f'{steps}\n    if (x == "}}") {{\n        for (;;) {{\n            BOOM();\n        }}\n    }}\n{steps}'
    others = [f"void {name}() {{\n{steps}\n}}\n" for name in ("before", "after")]
    code = f"class Cart {{\n{others[0]}\n{header}\n{inner}\n{footer}\n\n{others[1]}}}\n"

    lines = shown(path, code)

    assert lines[0] == header.split("\n")[0]
    assert lines[-1] == footer


def test_a_function_of_a_language_with_end_is_found():
    code = f"class Cart\n  def before\n{body(12)}\n  end\n\n  def sum(items)\n{body(12)}\n    items.each do |i|\n      BOOM\n    end\n{body(12)}\n  end\n\n  def after\n{body(12)}\n  end\nend"

    lines = shown("a.rb", code)

    assert (lines[0], lines[-1]) == ("  def sum(items)", "  end")


def test_a_line_outside_every_function_gets_a_window():
    lines = [f"x{number} = 1" for number in range(400)]

    assert enclosing("a.py", lines, 200) == Excerpt(170, 230)


def test_a_huge_function_is_shown_round_the_line():
    lines = ["def f():", *(f"    x{number} = 1" for number in range(1_000))]

    excerpt = enclosing("a.py", lines, 500)

    assert 500 in excerpt and excerpt.end - excerpt.start == 120


def test_lines_are_numbered_and_suspects_marked():
    lines = [f"line {number}" for number in range(1, 13)]

    assert numbered(lines, Excerpt(9, 11), [10]) == "   9 | line 9\n> 10 | line 10\n  11 | line 11"
