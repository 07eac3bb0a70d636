"""Hold requests and answers against GitHub's own schemas, and make answers that satisfy them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker

SLICE = Path(__file__).parent / "openapi" / "github.json"

Json = Any  # JSON of somebody else's shape

formats = FormatChecker(formats=())


@formats.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@formats.checks("uri", raises=ValueError)
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme and urlsplit(value).netloc)


class Contract:
    """The cut of GitHub's OpenAPI document, ready to judge."""

    def __init__(self) -> None:
        cut = json.loads(SLICE.read_text())
        self.operations: dict[str, Json] = cut["operations"]
        self.definitions: dict[str, Json] = cut["$defs"]

    def request_faults(self, operation: str, query: Mapping[str, str], body: Json) -> list[str]:
        """Return what is wrong with a request; a key the document does not know is wrong too."""
        known = self.operations[operation]
        faults = [f"unknown parameter {name}" for name in query if name not in known["query"]]
        for name in query.keys() & known["query"].keys():
            schema = known["query"][name]
            value = int(query[name]) if schema.get("type") == "integer" else query[name]
            faults += self._faults(schema, value)
        if isinstance(body, dict):
            properties = known["request"].get("properties", body)
            faults += [f"unknown key {key}" for key in body.keys() - properties.keys()]
        return faults if body is None else faults + self._faults(known["request"], body)

    def answer_faults(self, operation: str, status: int, body: Json) -> list[str]:
        """Return what is wrong with an answer; errors any operation may give are basic errors."""
        answers = self.operations[operation]["responses"]
        schema = answers.get(str(status)) or ({"$ref": "#/$defs/basic-error"} if status >= 300 else False)
        return self._faults(schema, body)

    def _faults(self, schema: Json, value: Json) -> list[str]:
        whole = {**schema, "$defs": self.definitions} if isinstance(schema, dict) else schema
        validator = Draft202012Validator(whole, format_checker=formats)
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]

    def filled(self, name: str, known: Mapping[str, Json], link: Callable[[str], str]) -> dict[str, Json]:
        """Return an object of the named schema: what is known, and the least that is required.

        ``link`` makes the address of a required field nobody gave.
        """
        schema = self.definitions[name]
        return self._object(schema, known, link)

    def _object(self, schema: Json, known: Mapping[str, Json], link: Callable[[str], str]) -> dict[str, Json]:
        properties = schema.get("properties", {})
        strange = known.keys() - properties.keys()
        assert not strange, f"GitHub answers no such thing: {sorted(strange)}"
        missing = [key for key in schema.get("required", ()) if key not in known]
        return {**{key: self._least(key, properties[key], link) for key in missing}, **known}

    def _least(self, key: str, schema: Json, link: Callable[[str], str]) -> Json:
        while "$ref" in schema:
            schema = self.definitions[schema["$ref"].rpartition("/")[2]]
        kinds = schema.get("type", "null")
        if "null" in kinds or "anyOf" in schema:
            return None
        if "enum" in schema:
            return schema["enum"][0]
        if kinds == "object":
            return self._object(schema, {}, link)
        if kinds == "string":
            return self._text(key, schema.get("format"), link)
        return {"integer": 0, "number": 0, "boolean": False, "array": []}[kinds]

    @staticmethod
    def _text(key: str, form: str | None, link: Callable[[str], str]) -> str:
        if form == "date-time":
            return "2026-01-01T00:00:00Z"
        return link(key) if form == "uri" or key.endswith("url") or key == "href" else key
