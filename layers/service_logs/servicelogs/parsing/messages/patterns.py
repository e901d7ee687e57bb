"""Parts of regular expressions that forms of messages share."""

import re

WHOLE = r"(?:0|[1-9]\d{0,17}+)"
"""A whole number as JSON writes it."""
NUMBER = rf"{WHOLE}(?:\.\d{{1,9}}+)?+"
"""A number as JSON writes it."""
IP = r"\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{1,40}(?:%\w{1,15})?"
PORT = r"[1-9]\d{0,4}"


def unnamed(pattern: str) -> str:
    """Match the same, with no fields."""
    return re.sub(r"\(\?P<\w+>", "(?:", pattern)


def optional(pattern: str) -> str:
    """Match what may be there, in one way.

    It is not written `(?:…)?+`: with groups that capture in it, Python up to 3.13 may end that in a
    SystemError (https://github.com/python/cpython/issues/101955).
    """
    return f"(?>{pattern}|)"
