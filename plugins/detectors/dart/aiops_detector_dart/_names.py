"""Which class an error is of, as far as its words tell."""

from __future__ import annotations

from aiops_core import lazy_pattern

_NAMED = lazy_pattern(
    r"(?:Uncaught |Unhandled (?:error |exception )?|Caught (?:error |exception )?|Error: (?=[\w$.]*(?:Exception|Error)\b))?"
    r"(?P<type>[A-Za-z_$][\w$.]*(?:Exception|Error|Failure)(?:\d+|Impl)?|Error|Exception)(?:<[^>]*>)?(?P<rest>(?:[:(\s]| ?\[| ?#).*|)$"
)
_CAMEL = lazy_pattern(r"(?P<type>_?(?:[A-Z][a-z\d]+){2,})(?P<rest>(?::\s|\().*|)$")
_WITHIN = lazy_pattern(r"(?<![\w$.])(?P<type>_?[A-Z][\w$]*(?:Exception|Error))\b:?\s*(?P<rest>.*)$")
_INSTANCE = lazy_pattern(r"Instance of '(?P<type>[^'<]+)")
_SAID = {
    "ArgumentError": lazy_pattern(r"Invalid argument(?:\(s\))?(?: \(|:|$)"),
    "StateError": lazy_pattern(r"Bad state: "),
    "UnsupportedError": lazy_pattern(r"Unsupported operation(?::|$)"),
    "ConcurrentModificationError": lazy_pattern(r"Concurrent modification during iteration"),
    "OutOfMemoryError": lazy_pattern(r"Out of Memory$"),
    "StackOverflowError": lazy_pattern(r"Stack Overflow$"),
    "AssertionError": lazy_pattern(r"Assertion failed\b|.*: Failed assertion: |Failed assertion: "),
    "TypeError": lazy_pattern(
        r"type '.+' is not a subtype of |Null check operator used on a null value|.*: malformed type: |.* is not a subtype of type '"
    ),
    "NoSuchMethodError": lazy_pattern(r"The (?:method|getter|setter|operator) '.+' was called on null"),
    "CyclicInitializationError": lazy_pattern(r"Reading static variable '.+' during its initialization"),
    "AbstractClassInstantiationError": lazy_pattern(r"Cannot instantiate abstract class "),
    "FallThroughError": lazy_pattern(r".*: Switch case fall-through at line "),
}
"""Errors of the language that do not name their class."""
UNNAMED = "Error"


def name_error(text: str) -> tuple[str, str] | None:
    """Return the class and the message of what was thrown, None for words that name no class."""
    first, newline, more = text.partition("\n")
    if (found := _NAMED.match(first)) is not None:
        return found["type"].lstrip("_"), (_after(found["rest"]) + newline + more).strip()
    for name, words in _SAID.items():
        if words.match(first):
            return name, text.strip()
    if (found := _INSTANCE.match(first)) is not None:
        return found["type"].lstrip("_"), text.strip()
    return None


def name_thrown(text: str) -> tuple[str, str]:
    """Return the class and the message of what is known to have been thrown."""
    named = name_error(text)
    if named is None and (found := _CAMEL.match(text.partition("\n")[0])) is not None:
        more = text.partition("\n")[2]
        return found["type"].lstrip("_"), f"{_after(found['rest'])}\n{more}".strip()
    return named or (UNNAMED, text.strip())


def find_error(text: str) -> tuple[str, str] | None:
    """Return class and message from a line that may tell what was done before it names an error."""
    named = name_error(text)
    if named is None and (found := _WITHIN.search(text.partition("\n")[0])) is not None:
        more = text.partition("\n")[2]
        return found["type"].lstrip("_"), f"{found['rest']}\n{more}".strip()
    return named


def _after(rest: str) -> str:
    return rest.strip().removeprefix(":").strip()
