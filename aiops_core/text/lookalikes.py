"""Words that pass for others: letters of one script in a word of another."""

from __future__ import annotations

import re

_CYRILLIC = "\u0400-\u052f"
_GREEK = (
    "\u0391\u0392\u0395-\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bd\u03bf\u03c1\u03c5"
)
_OTHERS = "\u0531-\u0587\u13a0-\u13fd\ua4d0-\ua4ff\U0001d400-\U0001d7ff\uff21-\uff3a\uff41-\uff5a"
_FOREIGN = f"[{_CYRILLIC}{_GREEK}{_OTHERS}]"
_MIXED = re.compile(rf"\w*(?:[A-Za-z_]\d*{_FOREIGN}|{_FOREIGN}\d*[A-Za-z_])\w*")


def lookalikes(text: str) -> set[str]:
    """Return the words that mix Latin letters with letters of other scripts that look like them."""
    return set(_MIXED.findall(text)) if not text.isascii() else set()
