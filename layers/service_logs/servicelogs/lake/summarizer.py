"""Makes the summary of rows that are written, and joins those of several files."""

from functools import cache

import pyarrow
import pyarrow.compute

from servicelogs.lake.names import summary_of
from servicelogs.lake.schema import EVENT_TIME
from servicelogs.lake.summaries import MINUTE, RECORDS, dimensions, measures, summary_columns
from servicelogs.parsing.format import Format


@cache
def summarizer_of(log_format: Format) -> "Summarizer | None":
    """Give what makes the summary of a log type; None if it has none."""
    return Summarizer(log_format) if log_format.summary else None


class Summarizer:
    """Makes the summary of one log type."""

    def __init__(self, log_format: Format) -> None:
        self.table = summary_of(log_format.name)
        self._schema = pyarrow.schema(
            [(column.name, column.arrow_type()) for column in summary_columns(log_format)]
        )
        self._by = {found.name: found.names for found in dimensions(log_format)}
        self._measures = {found.name: found.names for found in measures(log_format)}

    def summarize(self, details: pyarrow.Table) -> pyarrow.Table:
        """Count and add up rows of details, by minute."""
        columns = {MINUTE: _minutes(details.column(EVENT_TIME))}
        for name, path in (self._by | self._measures).items():
            columns[name] = _at(details, path)
        added = [(name, function) for name in self._measures for function in ("sum", "count")]
        return self._grouped(columns, [([], "count_all"), *added], {"count_all": RECORDS})

    def join(self, summaries: list[pyarrow.RecordBatch]) -> list[pyarrow.RecordBatch]:
        """Add up summaries of different rows, and take them out of the list."""
        table = pyarrow.Table.from_batches(summaries)
        summaries.clear()
        added = [name for name in table.column_names if name not in (MINUTE, *self._by)]
        columns = dict(zip(table.column_names, table.columns, strict=True))
        names = {f"{name}_sum": name for name in added}
        joined = self._grouped(columns, [(name, "sum") for name in added], names)
        return [*joined.to_batches()]

    def _grouped(
        self,
        columns: dict[str, pyarrow.ChunkedArray],
        added: list[tuple[str | list[str], str]],
        names: dict[str, str],
    ) -> pyarrow.Table:
        table = pyarrow.Table.from_pydict(columns)
        grouped = table.group_by([MINUTE, *self._by], use_threads=False).aggregate(added)
        named = grouped.rename_columns([names.get(name, name) for name in grouped.column_names])
        return named.select(self._schema.names).cast(self._schema).combine_chunks()


def _minutes(times: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    # Times without a zone are rounded ten times as fast.
    naive = times.cast(pyarrow.timestamp("us"))
    return pyarrow.compute.floor_temporal(naive, unit="minute").cast(times.type)


def _at(table: pyarrow.Table, names: tuple[str, ...]) -> pyarrow.ChunkedArray:
    column, *members = names
    values = table.column(column)
    return pyarrow.compute.struct_field(values, members) if members else values
