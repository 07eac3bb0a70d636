import sys

import pytest

from aiops_core.analysis import grammar
from aiops_core.analysis.grammar import parse_function
from aiops_core.analysis.source import enclosing

FILLER = [f"// {number}" for number in range(200)]

JS = """\
import x from "y";

export const total = async (items) => {
  return items.map((item) => {
    return item.price;
  });
};

class Cart {
  add(item) {
    if (item) {
      this.items.push(`${item} {`);
    }
  }
  handler = () => {
    return /[{]/.test("}");
  };
}
app.get("/x", function (req, res) {
  res.send(1);
});
"""
TS = """\
export class Cart<T extends Item> {
  private readonly sum = (items: T[]): number => {
    return items.length;
  };
  total(items: T[]): number {
    return items.reduce((a, b) => a + b.price, 0);
  }
}
export default async function* pages(): AsyncGenerator<{ n: number }> {
  yield { n: 1 };
}
"""
GO = """\
package main

func (s *Shop) Total(items []Item) int {
	sum := 0
	for _, i := range items {
		go func() {
			sum += i.Price
		}()
	}
	return sum
}
"""
JAVA = """\
class Cart<T> {
  static { load(); }
  public Cart() { super(); }
  @Override
  public int total(List<Item> items) throws Failure {
    return items.stream().mapToInt(i -> {
      return i.price;
    }).sum();
  }
}
"""


@pytest.fixture
def no_parser(monkeypatch):
    """Be on a machine without tree-sitter."""
    monkeypatch.setitem(sys.modules, "tree_sitter", None)
    grammar._language.cache_clear()
    yield
    grammar._language.cache_clear()


@pytest.mark.parametrize(
    ("suffix", "text", "line", "expected"),
    [
        (".js", JS, 5, (3, 7)),
        (".mjs", JS, 12, (10, 14)),
        (".jsx", JS, 16, (15, 17)),
        (".cjs", JS, 20, (19, 21)),
        (".js", JS, 1, None),
        (".ts", TS, 3, (2, 4)),
        (".tsx", TS.replace("<T extends Item>", ""), 6, (5, 7)),
        (".ts", TS, 10, (9, 11)),
        (".go", GO, 7, (3, 11)),
        (".java", JAVA, 2, (2, 2)),
        (".java", JAVA, 3, (3, 3)),
        (".java", JAVA, 7, (4, 9)),
        (".java", JAVA, 1, None),
        (".rb", "def a\nend\n", 1, None),
        (".go", GO, 999, None),
        (".go", "", 1, None),
    ],
)
def test_the_function_round_a_line_is_found_by_grammar(suffix, text, line, expected):
    pytest.importorskip("tree_sitter", reason="tree-sitter has no wheel here")

    assert parse_function(suffix, text, line) == expected


def test_a_callback_in_a_long_function_stays_alone():
    pytest.importorskip("tree_sitter", reason="tree-sitter has no wheel here")
    text = "module.exports = (app) => {\n" + "  x();\n" * 100 + "  app.on(() => {\n    y();\n  });\n};\n"

    assert parse_function(".js", text, 103) == (102, 104)


@pytest.mark.parametrize(
    ("path", "text", "line", "expected"),
    [
        ("a.js", JS, 12, "  add(item) {"),
        ("a.go", GO, 7, "func (s *Shop)"),
        ("A.java", JAVA, 7, "  public int total"),
    ],
)
def test_without_a_parser_braces_tell(path, text, line, expected, no_parser):
    lines = [*FILLER, *text.split("\n")]

    excerpt = enclosing(path, lines, line + len(FILLER))

    assert any(row.startswith(expected) for row in lines[excerpt.start - 1 : line + len(FILLER)])


def test_a_file_with_errors_in_its_grammar_still_gives_something():
    lines = [*FILLER, *GO.replace("for _,", "for for ((").split("\n")]

    assert len(FILLER) + 7 in enclosing("a.go", lines, len(FILLER) + 7)
