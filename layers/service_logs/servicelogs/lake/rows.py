"""Rows of one log type: what turns parsed records into Arrow, whatever their format's kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow

    from servicelogs.dates import DatePolicy
    from servicelogs.parsing.format import Format
    from servicelogs.parsing.places import Place
    from servicelogs.parsing.reader import Parser
    from servicelogs.records import Source


class RowGatherer(Protocol):
    """Gathers the rows of one log type, of consecutive sources together.

    Its record batches have the columns of the type's schema (`arrow_schema`), and behind them those
    of PARTITION as strings or dictionaries of strings, in which nothing is null or empty.
    """

    misfits: Counter[str]
    """How many values did not fit their columns, and are in `extra_fields` instead, by column."""

    def parser_of(self, source: Source) -> Parser:
        """Give what gathers the records of a source.

        A block of it has no body: its `documents` are rows, each of which a record batch brings.
        """
        ...

    def batches(self) -> Iterator[pyarrow.RecordBatch]:
        """Give away what is enough for record batches of some thousand rows."""
        ...

    def finish(self) -> Iterator[pyarrow.RecordBatch]:
        """Give away the rest; more may be gathered afterwards."""
        ...


def gatherer_of(log_format: Format, dates: DatePolicy, default_place: Place) -> RowGatherer:
    """Give what gathers the rows of a log type; `default_place` is of records that name none."""
    # What parses a kind of format is imported with the first object of that kind.
    kind = import_module(f"servicelogs.lake.{log_format.kind}_rows")
    gatherer: RowGatherer = kind.gatherer(log_format, dates, default_place)
    return gatherer
