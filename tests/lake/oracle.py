"""The oracle of the lake: which row a record is, in plain Python, slow and obvious.

The frame of a row is that of the record's document. Its own members are the document's too where
the format is text: nothing is changed there. JSON records are decoded again as AWS wrote them,
because documents are changed where OpenSearch could not take them (leaves are cut, values wrapped
or moved to `log.original`); so is the JSON object of a message whose document says that it was.

What a value becomes is decided here once (docs/decisions/08-lake-columns.md), and encoders are held
against it: what fits its column is there, and all the rest is in `extra_fields`, nested as it was.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, NamedTuple

from servicelogs.dates import EPOCH, DatePolicy
from servicelogs.lake.schema import EXTRA_FIELDS, LakeColumn, columns, frame_columns
from servicelogs.opensearch.dated_indexes import DatedIndex
from servicelogs.opensearch.documents import parser_of
from servicelogs.parsing.format import Format
from servicelogs.parsing.frame import FRAME, PROMOTED
from servicelogs.parsing.json.values import (
    NumberAsText,
    Repeated,
    decode,
    is_iso_time,
    strings_at,
    value_at,
)
from servicelogs.parsing.places import Place, names_places
from servicelogs.parsing.reader import Parser
from servicelogs.records import Block, Source

type Row = dict[str, Any]
"""The value of each column: times as datetimes, free-form values as JSON text."""

type Divided = tuple[Any, Any]
"""What of a value its column holds, and what is left over; None for what there is not."""

DEFAULT_PLACE = Place("999999999999", "eu-central-1")
FRAME_MEMBERS = {field.name.partition(".")[0] for field in FRAME}

columns_of = cache(columns)
is_whole_number = re.compile(r"0|-?[1-9]\d*", re.ASCII).fullmatch
is_number = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?", re.ASCII).fullmatch
_MOST_DIGITS_OF_LONG = 20


class DoesNotFit(Exception):
    """A column cannot hold a value."""


class Record(NamedTuple):
    """A record as the oracle takes it."""

    document: dict[str, Any]
    raw: bytes
    """As AWS wrote it."""
    day: str
    """The day that dates it."""


def rows_of(
    log_format: Format,
    source: Source,
    blocks_of: Callable[[Parser], Iterable[Block]],
    default_place: Place = DEFAULT_PLACE,
) -> list[Row]:
    """Give the rows of a source's records, with the columns of their partition.

    `blocks_of` gives the records to the parser that it gets, as tests/lake/samples.py does.
    """
    rows = []
    for document, raw, day in records_of(log_format, source, blocks_of):
        cloud, values = document["cloud"], []
        if names_places(log_format, source):
            values = [*strings_at(members_of(log_format, document, raw), log_format.places)]
        row = row_of(log_format, document, raw)
        row["account_id"] = cloud.get("account_id") or default_place.account_id
        row["region"] = cloud.get("region") or default_place.region
        if log_format.is_worldwide(source, values):
            row["region"] = "global"
        row["event_day"] = day
        rows.append(row)
    return rows


def records_of(
    log_format: Format, source: Source, blocks_of: Callable[[Parser], Iterable[Block]]
) -> Iterator[Record]:
    """Give the records of a source that have a document."""
    # The name of a document's index is the partition's day.
    dates = DatePolicy()

    def choose_index(moment: datetime, source: Source) -> DatedIndex | None:
        date = dates.date(moment, source, by_delivery=log_format.is_snapshot(source))
        if date is None:
            return None
        return DatedIndex(date.moment.date().isoformat(), date.adjusted)

    for block in blocks_of(parser_of(log_format, source, choose_index)):
        lines = bytes(block.body).split(b"\n")
        for action, line in zip(lines[:-1:2], lines[1::2], strict=True):
            document = decode(line)
            raw = block.raw(document["log"]["record"])
            yield Record(document, raw, json.loads(action)["create"]["_index"])


def row_of(log_format: Format, document: dict[str, Any], raw: bytes) -> Row:
    """Give the row of a record by its document and by what AWS wrote."""
    document = settled(document)
    of_frame = {name: path for path, name in frame_columns(log_format).items()}
    own = [column for column in columns_of(log_format) if column.name not in of_frame]
    row: Row = {}
    for column in columns_of(log_format):
        if column.name in of_frame:
            row[column.name], _ = divide(value_at(document, of_frame[column.name]), column)
    members, extra = members_of(log_format, document, raw), {}
    if log_format.kind == "json":
        promoted = [column for column in own if column.paths == (PROMOTED,)]
        own = [column for column in own if column not in promoted]
        row |= divide_members({PROMOTED: document.get(PROMOTED)}, promoted)[0]
    else:
        extra = document.get("extra_fields", {})
    values, left = divide_members(members, own)
    row |= values
    extra |= left
    row[EXTRA_FIELDS] = json_text(extra) if extra else None
    return {column.name: row[column.name] for column in columns_of(log_format)}


def members_of(log_format: Format, document: Mapping[str, Any], raw: bytes) -> dict[str, Any]:
    """Give what a record itself says, with its own names."""
    if log_format.kind == "json":
        members: dict[str, Any] = settled(decode(raw))
        return members
    own = {name: value for name, value in document.items() if name not in FRAME_MEMBERS}
    changed = document["log"].get("original", {})
    return own | {name: _object_in(raw) for name in changed}


def divide_members(
    holder: Mapping[str, Any], found: Iterable[LakeColumn]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Divide an object into the values of columns and the members that are left over."""
    values: dict[str, Any] = {}
    left = {name: value for name, value in holder.items() if value is not None}
    for column in found:
        values[column.name] = None
        names = [name for name in column.paths if name in left]
        if names:  # of several the first counts, and the others are left over
            values[column.name], rest = divide(left.pop(names[0]), column)
            if rest is not None:
                left[names[0]] = rest
    return values, left


def divide(value: Any, column: LakeColumn) -> Divided:
    """Divide a value into what its column holds and what is left over."""
    if not column.many or value is None:
        return _divide_one(value, column)
    if not isinstance(value, list):
        return None, value
    pairs = [_divide_one(one, column) for one in value]
    left = [rest for _, rest in pairs]
    return [held for held, _ in pairs], left if any(one is not None for one in left) else None


def _divide_one(value: Any, column: LakeColumn) -> Divided:
    if value is None:
        return None, None
    if column.kind is None:
        if not isinstance(value, dict):
            return None, value
        members, left = divide_members(value, column.members)
        return members, left or None
    try:
        return read(value, column), None
    except DoesNotFit:
        return None, value


def read(value: Any, column: LakeColumn) -> Any:
    """Give a value as its column holds it; a DoesNotFit if it cannot."""
    match column.kind:
        case "json":
            return json_text(value)
        case "text":
            return _text(value)
        case "integer":
            return _whole_number(value, 32)
        case "long":
            return _whole_number(value, 64)
        case "float":
            return _float(value)
        case "boolean":
            return _boolean(value)
        case _:
            return _time(value, column.date_format)


def settled(value: Any) -> Any:
    """Give a decoded value in which of repeated members the last counts, and texts are UTF-8."""
    match value:
        case NumberAsText():
            return value
        case Repeated():
            return settled(value[-1])
        case str():
            return value.encode("utf-8", "replace").decode()
        case list():
            return [settled(one) for one in value]
        case dict():
            return {settled(name): settled(one) for name, one in value.items()}
    return value


def json_text(value: Any) -> str:
    """Write a settled value as JSON, with numbers as AWS wrote them where no double holds them."""
    match value:
        case NumberAsText():
            return str(value)
        case list():
            return f"[{','.join(map(json_text, value))}]"
        case dict():
            return f"{{{','.join(f'{json_text(n)}:{json_text(one)}' for n, one in value.items())}}}"
    return json.dumps(value, ensure_ascii=False)


def _text(value: Any) -> str:
    if isinstance(value, dict | list):
        raise DoesNotFit
    return str(value) if isinstance(value, str) else json_text(value)


def _whole_number(value: Any, bits: int) -> int:
    if isinstance(value, str):
        if not is_whole_number(value) or len(value) > _MOST_DIGITS_OF_LONG:
            raise DoesNotFit
        number = int(value)
    elif isinstance(value, float) and value.is_integer():
        number = int(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        raise DoesNotFit
    if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
        raise DoesNotFit
    return number


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise DoesNotFit
    if isinstance(value, str) and not is_number(value):
        raise DoesNotFit
    try:
        number = float(value)
    except OverflowError as error:
        raise DoesNotFit from error
    if not math.isfinite(number) or (isinstance(value, int) and number != value):
        raise DoesNotFit
    return number


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value not in ("true", "false"):
        raise DoesNotFit
    return bool(value == "true")


def _time(value: Any, date_format: str) -> datetime:
    try:
        if date_format:
            number = _whole_number(value, 64)
            return EPOCH + number * timedelta(
                milliseconds={"epoch_second": 1000, "epoch_millis": 1}[date_format]
            )
        if not isinstance(value, str) or not is_iso_time(value):
            raise DoesNotFit
        second, _, fraction = value.removesuffix("Z").partition(".")
        moment = datetime.strptime(second, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
        return moment.replace(microsecond=int(fraction[:6].ljust(6, "0")))
    except (ValueError, OverflowError) as error:  # no calendar has it
        raise DoesNotFit from error


def comparable(row: Row, found: Iterable[LakeColumn]) -> Row:
    """Give a row in which JSON is compared by value: two ways of writing it are equal."""
    return {column.name: _comparable(row[column.name], column) for column in found}


def _comparable(value: Any, column: LakeColumn) -> Any:
    if value is None:
        return None
    if column.many and isinstance(value, list):
        return [_comparable(one, _one_of(column)) for one in value]
    if column.kind is None:
        return comparable(value, column.members)
    return json_value(value) if column.kind == "json" else value


def json_value(text: str) -> Any:
    """Read JSON text so that equal values are equal, however exactly they are written."""
    return settled(json.loads(text, parse_int=_exactly, parse_float=_exactly))


def _exactly(number: str) -> Decimal | str:
    try:
        return Decimal(number)
    except InvalidOperation:  # an exponent of twenty digits
        return number


def _one_of(column: LakeColumn) -> LakeColumn:
    return LakeColumn(column.name, column.kind, False, column.paths, members=column.members)


def _object_in(raw: bytes) -> Any:
    """Give the JSON object that a message is, or ends in."""
    for start in re.finditer(rb"\{", raw):
        try:
            return settled(decode(raw[start.start() :].strip()))
        except ValueError:
            continue
    raise AssertionError(f"no object in {raw[:200]!r}")
