"""Cut the operations this plugin uses out of GitHub's OpenAPI document, as JSON Schema.

    npm pack @octokit/openapi && tar xzf octokit-openapi-*.tgz
    python cut_openapi.py package

writes ``openapi/github.json`` and copies the licence beside it. Prose and examples are dropped,
OpenAPI's ``nullable`` becomes a type, references are followed until nothing is missing.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OPERATIONS = (
    "GET /repos/{owner}/{repo}",
    "GET /repos/{owner}/{repo}/pulls",
    "POST /repos/{owner}/{repo}/pulls",
    "GET /repos/{owner}/{repo}/pulls/{pull_number}",
    "PATCH /repos/{owner}/{repo}/pulls/{pull_number}",
    "GET /repos/{owner}/{repo}/commits/{ref}",
    "GET /repos/{owner}/{repo}/installation",
    "POST /app/installations/{installation_id}/access_tokens",
    "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
    "GET /repos/{owner}/{repo}/issues/{issue_number}/comments",
    "GET /repos/{owner}/{repo}/pulls/{pull_number}/comments",
    "GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews",
    "POST /repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies",
    "GET /repos/{owner}/{repo}/collaborators/{username}/permission",
    "POST /repos/{owner}/{repo}/issues/{issue_number}/labels",
    "DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}",
    "POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers",
)
ALWAYS = ("basic-error",)  # what 401, 429 and 5xx answers are held against
PROSE = {"description", "example", "examples", "title", "externalDocs", "deprecated"}
HERE = Path(__file__).parent / "openapi"

Json = Any  # JSON of somebody else's shape


def converted(node: Json, *, names: bool = False) -> Json:
    """Return the schema as JSON Schema 2020-12; ``names``: the keys are property names."""
    if isinstance(node, list):
        return [converted(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {
        key: converted(value, names=key == "properties")
        for key, value in node.items()
        if names or (key not in PROSE and not key.startswith("x-"))
    }
    return kept if names or not kept.pop("nullable", False) else or_null(kept)


def or_null(schema: dict[str, Json]) -> dict[str, Json]:
    """Return the schema with null allowed."""
    if "type" not in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    nullable = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        nullable["enum"] = [*schema["enum"], None]
    return nullable


def references(node: Json) -> Iterator[str]:
    """Yield every component named below."""
    for key, value in node.items() if isinstance(node, dict) else ():
        if key == "$ref" and isinstance(value, str):
            yield value
        yield from references(value)
    for item in node if isinstance(node, list) else ():
        yield from references(item)


class Document:
    """GitHub's document, and what was cut out of it so far."""

    def __init__(self, path: Path) -> None:
        self.whole: Json = json.loads(path.read_text())
        self.schemas: dict[str, Json] = {}

    def resolved(self, node: Json) -> Json:
        """Follow the node's own reference, if it is one."""
        while "$ref" in node:
            place = node["$ref"]
            node = self.whole
            for part in place.removeprefix("#/").split("/"):
                node = node[part]
        return node

    def body(self, message: Json) -> Json:
        """Return the JSON schema of a request or response, {} without one."""
        content = self.resolved(message).get("content", {})
        return self.schema(content.get("application/json", {}).get("schema", {}))

    def schema(self, node: Json) -> Json:
        """Return the schema with its references kept, and keep what they name."""
        schema = converted(node)
        text = json.dumps(schema)
        for place in set(references(schema)):
            name = place.rpartition("/")[2]
            text = text.replace(json.dumps(place), json.dumps(f"#/$defs/{name}"))
            if name not in self.schemas:
                self.schemas[name] = {}
                self.schemas[name] = self.schema(self.resolved({"$ref": place}))
        return json.loads(text)

    def operation(self, name: str) -> Json:
        """Return query parameters, request and answers of one operation."""
        method, _, path = name.partition(" ")
        item = self.whole["paths"][path][method.lower()]
        parameters = [self.resolved(parameter) for parameter in item.get("parameters", [])]
        return {
            "query": {p["name"]: self.schema(p["schema"]) for p in parameters if p["in"] == "query"},
            "request": self.body(item.get("requestBody", {})),
            "responses": {status: self.body(answer) for status, answer in item["responses"].items()},
        }


def main(package: Path) -> None:
    """Write the slice and its licence."""
    document = Document(package / "generated" / "api.github.com.json")
    version = json.loads((package / "package.json").read_text())["version"]
    operations = {name: document.operation(name) for name in OPERATIONS}
    for name in ALWAYS:
        document.schema({"$ref": f"#/components/schemas/{name}"})
    cut = {
        "source": f"@octokit/openapi {version}, MIT licence",
        "operations": operations,
        "$defs": dict(sorted(document.schemas.items())),
    }
    HERE.mkdir(exist_ok=True)
    (HERE / "github.json").write_text(json.dumps(cut, indent=1, sort_keys=True) + "\n")
    shutil.copyfile(package / "LICENSE", HERE / "LICENSE")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
