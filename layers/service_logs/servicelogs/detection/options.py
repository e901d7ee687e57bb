"""Formats as the options of their types say: which columns files without a header have."""

from collections.abc import Mapping
from functools import cache

from servicelogs import formats
from servicelogs.errors import ConfigurationError
from servicelogs.parsing.format import Format


def with_options(options: Mapping[str, tuple[str, ...]]) -> dict[str, Format]:
    """Give the formats that have other columns, by name; an option may be of several formats.

    One that has not all of the columns is left as it is: the option is for another.
    """
    changed = {}
    for option, fields in options.items():
        for name in formats.NAMES:
            if formats.get(name).option == option and (log_format := _with(name, fields)):
                changed[name] = log_format
    return changed


def format_options() -> set[str]:
    """Give the options that formats have."""
    return {option for name in formats.NAMES if (option := formats.get(name).option)}


@cache
def _with(name: str, fields: tuple[str, ...]) -> Format | None:
    """Give a format with these columns, once in a process: it learns from what it reads."""
    try:
        return formats.get(name).with_fields(fields)
    except ConfigurationError:
        return None
