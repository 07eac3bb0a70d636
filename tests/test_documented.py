"""Settings are documented by the string under them."""

import ast
from pathlib import Path

from pydantic import Field

from aiops_core import Config
from aiops_core.documented import meanings


class Oven(Config):
    """What bakes."""

    heat: int = 200
    """Degrees, in

    Celsius."""
    fan: bool = False
    timer: int = Field(default=0, alias="for", description="Minutes until it rings.")
    """Not this."""


class GasOven(Oven):
    """What bakes with gas."""

    gas: str = "town"
    """Kind of gas."""


def test_what_stands_under_a_field_is_its_meaning_and_a_description_comes_first():
    assert meanings(Oven) == {"heat": "Degrees, in\n\nCelsius.", "timer": "Minutes until it rings."}


def test_inherited_fields_keep_their_meaning():
    assert list(meanings(GasOven)) == ["heat", "timer", "gas"]


def test_the_json_schema_holds_the_meanings_under_the_names_that_are_written():
    properties = GasOven.model_json_schema(by_alias=True)["properties"]

    found = {name: field.get("description") for name, field in properties.items()}

    assert found == {
        "heat": "Degrees, in\n\nCelsius.",
        "fan": None,
        "for": "Minutes until it rings.",
        "gas": "Kind of gas.",
    }


def test_a_model_without_source_has_no_meanings():
    made = type("Made", (Config,), {"__annotations__": {"size": int}, "__module__": "nowhere"})

    assert meanings(made) == {}


def test_every_option_of_a_benchmark_or_a_script_says_what_it_is():
    root = Path(__file__).parent.parent
    files = [path for folder in ("benchmarks", "scripts") for path in (root / folder).glob("*.py")]
    calls = [(path.name, node) for path in files for node in ast.walk(ast.parse(path.read_text()))]
    options = [
        (name, node)
        for name, node in calls
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument"
    ]

    assert len(options) > 10
    silent = [name for name, node in options if "help" not in {word.arg for word in node.keywords}]
    assert silent == []
