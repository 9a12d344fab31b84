"""Text that comes from files, shown to people."""

from __future__ import annotations

import re

# Control characters, line breaks, marks that reverse the order of what follows, bytes that were not
# UTF-8, and code points that are no characters. OpenCV crashes on some, matplotlib and fpdf raise.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def printable(text: str) -> str:
    """The text on one line, with a replacement character for what cannot be shown.

    >>> printable("a\\tb")
    'a\N{REPLACEMENT CHARACTER}b'
    """
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
