"""What a Parquet file says of its rows and pages, held against limits before it is decoded.

A few bytes can stand for as much as they like: rows that nobody wrote, pages that inflate to
gigabytes, long values that repeat. pyarrow takes the memory for what a file says before it finds
that it is not so, and nothing bounds what it takes. Whatever is past a limit raises ValueError.
https://parquet.apache.org/docs/file-format/
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import IO, Any, NamedTuple

import pyarrow

from servicelogs.sources.parquet_levels import RowLengths
from servicelogs.sources.thrift import CompactReader, Struct

MIB = 1024 * 1024
# A file's end, which describes its columns, takes 50 times its size in memory (measured). That of a
# log takes some kilobytes.
LONGEST_DESCRIPTION = 8 * MIB
# ... but three bytes of it can take a kilobyte, so that what takes it is counted.
MOST_STRUCTS = 400_000
# pyarrow takes the memory for as many as a list says it has, up to a kilobyte for each.
LONGEST_LIST = 50_000
# Levels of nesting that are no stack overflow to anybody: pyarrow follows all that a file says.
DEEPEST_SCHEMA = 40
# What a file may hold: with less than a byte for 100 values it holds no log.
MOST_VALUES_PER_BYTE = 100
MOST_VALUES_ANYWAY = 4 * MIB
# Each column has a page in memory, and its dictionary: of all columns so many bytes at most.
MOST_PAGE_BYTES = 128 * MIB
MOST_PAGES = 100_000
LONGEST_PAGE_HEADER = MIB
# So many rows are decoded at a time, fewer where their values could fill more than the bytes; more
# are not faster (measured).
ROWS = (256, 64, 16, 4, 1)
ROWS_BYTES = 64 * MIB
MOST_ROW_BYTES = 128 * MIB
# What a value takes beside its own bytes.
VALUE_BYTES = 16
PYTHON_VALUE_BYTES = 64

# Fields of the description and of an element of its schema.
_SCHEMA, _CHILDREN = 2, 5
_DELTA_LENGTHS, _DELTA_BYTES = 6, 7
_OF_DICTIONARY = {2, 8}
_BIT_PACKED = 4
_DATA_PAGE, _DICTIONARY_PAGE, _DATA_PAGE_V2 = 0, 2, 3
# Where a page's header has what only its kind has.
_OWN_FIELDS = {_DATA_PAGE: 5, _DICTIONARY_PAGE: 7, _DATA_PAGE_V2: 8}
# A byte holds as many booleans, which take a byte each when decoded.
_MOST_BOOLEANS = 8
_LENGTH_BYTES = 4
_STRUCTS_OF_HEADER = 16
# pyarrow gives one name to two ways of writing it, so that we cannot know what it will read.
_AMBIGUOUS_CODEC = "LZ4"
_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 12, "FLOAT": 4, "DOUBLE": 8}


class Page(NamedTuple):
    """What a page's header says of it."""

    kind: int
    size: int
    """Bytes, decompressed."""
    stored: int
    """Bytes in the file."""
    at: int
    """Where they begin."""
    values: int
    encoding: int
    levels: int
    """Bytes before its values that are never compressed (of the second kind of data pages)."""
    packed: bool
    """Whether its repetition levels are written as they were before 2013."""
    compressed: bool


@dataclass(slots=True)
class Column:
    """A column of one row group: what its pages hold, as far as their headers say."""

    name: str
    start: int
    end: int
    values: int
    codec: str
    kind: str
    width: int
    """Bytes of a value, if all have as many."""
    depth: int
    """Values of Python's for each of its values: that, and what it is nested in."""
    definitions: int
    repetitions: int
    dictionary: int = 0
    """Bytes that its dictionary takes, decoded."""
    longest: int = 0
    """Bytes that its longest value may have where values are decoded from others."""
    largest: int = 0
    """Bytes of its largest data page."""
    plain: int = 0
    """Bytes of its largest page whose values are only there."""
    fewest: int = 0
    """Values in that of its pages, but the last, that has the fewest."""
    most_in_row: int = 1
    """Values that its longest row has: of a list more than one."""

    def bytes_of(self, rows: int) -> int:
        """Return how many bytes so many consecutive rows may have at most."""
        values = min(self.values, rows * self.most_in_row)
        pages = -(-values // max(1, self.fewest)) + 1 if values > 1 else 1
        plain = min(values, pages) * self.plain
        return values * (self.width + self.longest + self.depth * PYTHON_VALUE_BYTES) + plain


def check_description(copy: IO[bytes]) -> int:
    """Refuse a file whose description of itself would fill the memory; return the file's size."""
    size = copy.seek(0, os.SEEK_END)
    copy.seek(max(0, size - 8))
    length = int.from_bytes(copy.read(4), "little")
    if LONGEST_DESCRIPTION < length < size:
        raise ValueError(
            f"the description of its columns has {length} bytes, "
            f"at most {LONGEST_DESCRIPTION} are read"
        )
    if length <= size - 8:
        copy.seek(size - 8 - length)
        reader = CompactReader(copy.read(length), MOST_STRUCTS, kept=_SCHEMA)
        try:
            reader.struct()
        except EOFError:
            raise ValueError("the description of its columns is truncated") from None
        _check_depth(reader.structs)
    copy.seek(0)
    return size


def _check_depth(elements: list[Struct]) -> None:
    """Refuse a schema, each element followed by its children, that is nested without end."""
    missing: list[int] = []
    for element in elements:
        children = element.get(_CHILDREN)
        missing.append(children if isinstance(children, int) else 0)
        if len(missing) > DEEPEST_SCHEMA:
            raise ValueError(f"its columns are too deeply nested: over {DEEPEST_SCHEMA} levels")
        while missing and missing[-1] <= 0:
            missing.pop()
            if missing:
                missing[-1] -= 1


def check_rows(metadata: Any, size: int) -> None:
    """Refuse a file that says that it has more values than its bytes could hold."""
    values = 0
    ranges = []
    for number in range(metadata.num_row_groups):
        rows = metadata.row_group(number).num_rows
        if rows < 0:
            raise ValueError(f"its row group {number + 1} says that it has {rows} rows")
        if rows and not metadata.num_columns:
            raise ValueError(f"it says that it has {rows} rows, but it has no columns")
        for column in _columns(metadata, number) if rows else ():
            if not 0 < column.start <= column.end <= size:
                raise ValueError(
                    f"{column.name} says that it is at the bytes {column.start} to {column.end}, "
                    f"but the file has {size}"
                )
            values += max(column.values, rows)
            ranges.append((column.start, column.end))
    if values > (most := MOST_VALUES_ANYWAY + MOST_VALUES_PER_BYTE * size):
        raise ValueError(
            f"it says that it has {values} values ({metadata.num_rows} rows) in {size} bytes, "
            f"and of a file of this size at most {most} are read"
        )
    ranges.sort()
    if any(one[1] > other[0] for one, other in pairwise(ranges)):
        raise ValueError("columns of it are in the same place")


def rows_at_a_time(copy: IO[bytes], metadata: Any, number: int) -> int:
    """Return how many rows of a row group to decode at a time, by what its pages hold."""
    rows = metadata.row_group(number).num_rows
    columns, pages = [*_columns(metadata, number)], 0
    for column in columns:
        _read_pages(copy, column)
        pages += column.largest + column.dictionary
        if not column.repetitions and column.values != rows:
            raise ValueError(f"{column.name} has {column.values} values for {rows} rows")
    _check_bytes(number, "the largest pages", pages, MOST_PAGE_BYTES)
    _check_bytes(number, "one row may", sum(c.bytes_of(1) for c in columns), MOST_ROW_BYTES)
    for rows in ROWS:
        if sum(column.bytes_of(rows) for column in columns) <= ROWS_BYTES:
            return rows
    return 1


def _check_bytes(number: int, what: str, size: int, most: int) -> None:
    if size > most:
        raise ValueError(
            f"in its row group {number + 1} {what} take {size} bytes of memory, "
            f"at most {most} are taken"
        )


def _columns(metadata: Any, number: int) -> Iterator[Column]:
    group = metadata.row_group(number)
    if group.num_columns != metadata.num_columns:
        raise ValueError(
            f"its row group {number + 1} has {group.num_columns} columns, "
            f"and the file {metadata.num_columns}"
        )
    for at in range(group.num_columns):
        chunk, declared = group.column(at), metadata.schema.column(at)
        start, dictionary = chunk.data_page_offset, chunk.dictionary_page_offset
        start = dictionary if dictionary and 0 < dictionary < start else start
        kind = chunk.physical_type
        width = declared.length if kind == "FIXED_LEN_BYTE_ARRAY" else _WIDTHS.get(kind, 0)
        yield Column(
            f"in its row group {number + 1} the column {chunk.path_in_schema[:100]!r}",
            start,
            start + chunk.total_compressed_size,
            chunk.num_values,
            chunk.compression,
            kind,
            width,
            chunk.path_in_schema.count(".") + 1,
            declared.max_definition_level,
            declared.max_repetition_level,
        )


def _read_pages(copy: IO[bytes], column: Column) -> None:
    """Find out what the pages of a column hold; refuse those that hold less than it says."""
    seen = last = 0
    at = column.start
    rows = RowLengths(column.repetitions)
    for _ in range(MOST_PAGES):
        if seen >= column.values or at >= column.end:
            break
        page = _page(copy, at, column)
        at = page.at + page.stored
        if page.kind == _DICTIONARY_PAGE:
            _read_dictionary(copy, column, page)
        elif page.kind in {_DATA_PAGE, _DATA_PAGE_V2}:
            if last:
                column.fewest = min(column.fewest or last, last)
            last = max(1, page.values)
            seen += page.values
            _read_data_page(copy, column, page)
            if column.repetitions:
                _read_levels(copy, column, page, rows)
    else:
        raise ValueError(f"{column.name} has more than {MOST_PAGES} pages")
    column.fewest = column.fewest or last
    column.most_in_row = max(column.most_in_row, rows.longest)
    if seen != column.values:
        raise ValueError(f"{column.name} says that it has {column.values} values, and has {seen}")


def _page(copy: IO[bytes], at: int, column: Column) -> Page:
    """Read a page's header."""
    header, start = _header(copy, at, column)
    kind, second = header.get(1), header.get(1) == _DATA_PAGE_V2
    own = header.get(_OWN_FIELDS.get(kind, 0)) if isinstance(kind, int) else None
    own = own if isinstance(own, dict) else {}
    try:
        page = Page(
            kind=_natural(kind),
            size=_natural(header.get(2)),
            stored=_natural(header.get(3)),
            at=start,
            values=_natural(own.get(1, 0)),
            encoding=_natural(own.get(4 if second else 2, 0)),
            levels=_natural(own.get(5)) + _natural(own.get(6)) if second else 0,
            packed=not second and own.get(4) == _BIT_PACKED,
            compressed=own.get(7) is not False,
        )
    except ValueError as error:
        raise ValueError(f"{column.name} has no page at byte {at}") from error
    if start + page.stored > column.end:
        raise ValueError(f"{column.name} has a page at byte {at} that is longer than the column")
    if (taken := max(page.size, page.stored)) > MOST_PAGE_BYTES:
        raise ValueError(
            f"{column.name} has a page that says that it takes {taken} bytes of memory, "
            f"at most {MOST_PAGE_BYTES} are taken"
        )
    return page


def _natural(value: int | Struct | None) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is not a number from 0 on")
    return value


def _header(copy: IO[bytes], at: int, column: Column) -> tuple[Struct, int]:
    """Read a page's header; return it and where it ends."""
    length = 256
    while True:
        copy.seek(at)
        reader = CompactReader(copy.read(min(length, column.end - at)), _STRUCTS_OF_HEADER)
        try:
            return reader.struct(), at + reader.at
        except EOFError:
            if length >= min(LONGEST_PAGE_HEADER, column.end - at):
                raise ValueError(f"{column.name} has no page at byte {at}") from None
        length *= 16


def _read_data_page(copy: IO[bytes], column: Column, page: Page) -> None:
    taken = max(page.size, page.stored)
    if page.encoding in {_DELTA_LENGTHS, _DELTA_BYTES}:
        if column.codec == _AMBIGUOUS_CODEC:
            raise ValueError(
                f"{column.name} has texts written as differences and compressed with LZ4, "
                "which are not read together: choose another compression"
            )
        _check_deltas(_text(copy, column, page), column, page)
        # The lengths of all its values are decoded at once.
        taken += 2 * _LENGTH_BYTES * page.values
    column.largest = max(column.largest, taken)
    if column.kind != "BYTE_ARRAY" or page.encoding in _OF_DICTIONARY:
        return
    if page.encoding == _DELTA_BYTES:
        # Each value may begin with all of the one before it.
        column.longest = max(column.longest, page.size)
    else:
        column.plain = max(column.plain, page.size)


def _read_levels(copy: IO[bytes], column: Column, page: Page, rows: RowLengths) -> None:
    """Find out how many values the rows of a page have."""
    if page.packed or (column.codec == _AMBIGUOUS_CODEC and page.kind == _DATA_PAGE):
        column.most_in_row = column.values  # it may be so
        return
    if page.kind == _DATA_PAGE_V2:
        copy.seek(page.at)
        levels = copy.read(page.levels)
    else:
        text = _text(copy, column, page)
        length = int.from_bytes(text[:_LENGTH_BYTES], "little")
        levels = text[_LENGTH_BYTES : _LENGTH_BYTES + length]
    try:
        rows.take(levels, page.values)
    except (EOFError, ValueError):
        raise ValueError(f"{column.name} has a page whose rows do not begin and end") from None


def _read_dictionary(copy: IO[bytes], column: Column, page: Page) -> None:
    """Find out how long the longest value of a dictionary is."""
    width = _LENGTH_BYTES if column.kind == "BYTE_ARRAY" else max(1, column.width)
    if page.values * width > page.size * _MOST_BOOLEANS:
        raise ValueError(
            f"{column.name} has a dictionary that says that it has {page.values} values "
            f"in {page.size} bytes"
        )
    column.dictionary = 2 * page.size + VALUE_BYTES * page.values
    if column.dictionary > MOST_PAGE_BYTES:
        raise ValueError(
            f"{column.name} has a dictionary that takes {column.dictionary} bytes of memory, "
            f"at most {MOST_PAGE_BYTES} are taken"
        )
    if column.kind != "BYTE_ARRAY":
        return
    if column.codec == _AMBIGUOUS_CODEC:
        column.longest = max(column.longest, page.size)
        return
    text = _text(copy, column, page)
    at = longest = 0
    for _ in range(page.values):
        length = int.from_bytes(text[at : at + 4], "little")
        at += 4 + length
        if length > longest:
            longest = length
    if at > len(text):
        raise ValueError(f"{column.name} has a dictionary that is shorter than its values")
    column.longest = max(column.longest, longest)


def _text(copy: IO[bytes], column: Column, page: Page) -> bytes:
    """Decompress a page, but for its levels if they are not compressed."""
    copy.seek(page.at + page.levels)
    stored = copy.read(page.stored - page.levels)
    size = page.size - page.levels
    if size < 0:
        raise ValueError(f"{column.name} has a page whose levels are longer than itself")
    if column.codec == "UNCOMPRESSED" or not page.compressed or not size:
        return stored
    text: bytes = pyarrow.Codec(column.codec.lower()).decompress(stored, size, asbytes=True)
    return text


def _check_deltas(text: bytes, column: Column, page: Page) -> None:
    """Refuse a page that decodes to more lengths than it has values."""
    at = 0
    if page.kind == _DATA_PAGE:
        for levels in (column.repetitions, column.definitions):
            if levels:
                at += _LENGTH_BYTES + int.from_bytes(text[at : at + _LENGTH_BYTES], "little")
    try:
        for _ in range(2 if page.encoding == _DELTA_BYTES else 1):
            at = _after_deltas(text, at, page.values)
    except EOFError:
        raise ValueError(f"{column.name} has a page whose values are truncated") from None
    except ValueError as error:
        raise ValueError(f"{column.name} has a page that {error}") from error


def _after_deltas(text: bytes, at: int, most: int) -> int:
    """Return where whole numbers end that are written as differences.

    https://parquet.apache.org/docs/file-format/data-pages/encodings/#delta-encoding-delta_binary_packed--5
    """
    reader = CompactReader(text, 0)
    reader.at = at
    block, pieces, count, _first = (reader.varint() for _ in range(4))
    if count > most or not pieces or block % pieces or not block:
        raise ValueError(f"says that it has {count} values, and that it has {most}")
    left = count - 1
    while left > 0:
        reader.varint()
        widths = text[reader.at : reader.at + pieces]
        reader.at += pieces
        for width in widths:
            if left <= 0:
                break
            reader.at += width * (block // pieces) // 8
            left -= block // pieces
        if reader.at > len(text):
            raise EOFError
    return reader.at
