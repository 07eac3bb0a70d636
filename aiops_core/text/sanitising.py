"""Untrusted text made safe to show: to a model inside a fence, to people, to Markdown."""

from __future__ import annotations

import re
import secrets

from aiops_core.text.lazy import lazy_pattern

_ANSI = lazy_pattern(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, cursor
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"  # titles, links, clipboard
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c\n]*(?:\x1b\\|\x9c)"  # device strings
    r"|\x1b[ -/]*[0-Z\\^-~]"
)
_ESCAPE = lazy_pattern("[\x1b\x90-\x9f]")
_LINE_END = lazy_pattern("[\r\x0b\x0c\x85\u2028\u2029]")
_INVISIBLE = lazy_pattern(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f"
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_PICTURE = "[\u2190-\u2bff\u3030\u303d\u3297\u3299\u00a9\u00ae\u2122\u2139\U0001f000-\U0001faff#*0-9]"
_EMOJI = lazy_pattern(f"(?<={_PICTURE})\ufe0f|(?<=[\ufe0f\U0001f000-\U0001faff])\u200d(?={_PICTURE})")
_SURROGATE = lazy_pattern("[\ud800-\udfff]")

_TAG = "untrusted"
_LOOKS_LIKE_TAG = lazy_pattern(rf"<(?=\s*/?\s*{_TAG}-)", re.IGNORECASE)

_MENTION = lazy_pattern(r"@(?=\w)")
_REFERENCE = lazy_pattern(r"([#!&%~$])(?=\d)")
_WIDE = {"#": "＃", "!": "！", "&": "＆", "%": "％", "~": "～", "$": "＄"}
_GH_REFERENCE = lazy_pattern(r"\b(GH)-(?=\d)", re.IGNORECASE)
_COMMAND = lazy_pattern(r"^([ \t]*)/(?=[A-Za-z_]+(?:[ \t]|$))", re.MULTILINE)
_SCHEME = lazy_pattern(r"(?<=[A-Za-z0-9]):(?=//)")
_WWW = lazy_pattern(r"\b(www)\.(?=\w)", re.IGNORECASE)
_BARE_SCHEME = lazy_pattern(r"\b(mailto|xmpp|javascript|data):(?=\S)", re.IGNORECASE)

_MARKUP = lazy_pattern(r"[\\`*\[\]<>|~&$]|(?<![^\W_])_|_(?![^\W_])")
_LINE_START = lazy_pattern(r"^[ \t]*(?:([#+=-])(?=[#+=\s-]|$)|(\d{1,9})([.)])(?=\s|$))?", re.MULTILINE)
_BACKTICKS = lazy_pattern(r"`+")


def clean(text: str, *, keep_newlines: bool = True) -> str:
    """Return the text without ANSI sequences, control, bidi and invisible characters.

    Every kind of line end becomes a newline, or a space when newlines are not kept. What cannot
    be encoded becomes U+FFFD. Cleaning twice changes nothing more.
    """
    if not _is_plain(text):
        if _ESCAPE.search(text):  # looking for whole sequences takes ten times as long
            text = _ANSI.sub("", text)
        text = _LINE_END.sub("\n", text.replace("\r\n", "\n"))
        text = _SURROGATE.sub("\ufffd", _INVISIBLE.sub("", text))
    return text if keep_newlines else re.sub(r"\s*\n\s*|\t", " ", text).strip()


def _is_plain(text: str) -> bool:
    """Tell in a moment, also of a megabyte, that a text has only signs of ASCII that people see."""
    return text.isascii() and text.replace("\n", " ").replace("\t", " ").isprintable()


def hidden_characters(text: str) -> set[str]:
    """Return the characters of a text that people do not see; line ends and what makes up an emoji are seen."""
    text = _EMOJI.sub("", text)
    return {char for char in set(text) - set("\r\n\t\f\x0b") if not clean(char) or clean(char) != char}


def new_tag() -> str:
    """Return a delimiter nobody can have foreseen."""
    return f"{_TAG}-{secrets.token_hex(8)}"


def fence(text: str, tag: str = "") -> tuple[str, str]:
    """Return a delimiter and the cleaned text between an opening and a closing one.

    The delimiter is new in each call unless one is given; whatever looks like a delimiter of
    ours inside the text is made harmless.
    """
    tag = tag or new_tag()
    body = _LOOKS_LIKE_TAG.sub("‹", clean(text)).replace(tag, _TAG)
    return tag, f"<{tag}>\n{body}\n</{tag}>"


def defuse(text: str) -> str:
    """Return cleaned plain text that pings, closes, links and commands nothing on a forge.

    For commit messages and chats: ``@name`` and ``#1`` get wide signs, ``https://`` becomes
    ``https[:]//``.
    """
    text = _MENTION.sub("＠", clean(text))
    text = _REFERENCE.sub(lambda match: _WIDE[match[1]], text)
    text = _GH_REFERENCE.sub("\\1\u2011", text)
    text = silence_commands(text)
    return _WWW.sub(r"\1[.]", _SCHEME.sub("[:]", _BARE_SCHEME.sub(r"\1[:]", text)))


def silence_commands(text: str) -> str:
    """Return the text with lines like ``/merge`` begun by a wide slash.

    GitLab acts on such lines, and finds code blocks, where it would not, by less than Markdown's rules.
    """
    return _COMMAND.sub(r"\1／", text)


def escape_markdown(text: str) -> str:
    """Return Markdown that shows the text literally: no markup, mention, reference or link."""
    text = _MARKUP.sub(lambda match: "\\" + match[0], defuse(text))
    return _LINE_START.sub(_escape_line_start, text)


def _escape_line_start(match: re.Match[str]) -> str:
    if match[1]:
        return "\\" + match[1]
    return f"{match[2]}\\{match[3]}" if match[2] else ""


def code_block(text: str, language: str = "") -> str:
    """Return the text as a fenced Markdown block that it cannot leave."""
    body = clean(text)
    longest = max((len(run) for run in _BACKTICKS.findall(body)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{re.sub(r'[^A-Za-z0-9+#.-]', '', language)}\n{body}\n{ticks}"


def code_span(text: str) -> str:
    """Return the text on one line as Markdown code that it cannot leave."""
    body = clean(text, keep_newlines=False)
    longest = max((len(run) for run in _BACKTICKS.findall(body)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if body.startswith("`") or body.endswith("`") or not body else ""
    return f"{ticks}{pad}{body}{pad}{ticks}"
