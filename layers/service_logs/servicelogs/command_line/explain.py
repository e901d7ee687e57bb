"""`servicelogs explain`: what became of one record, for whoever looks into why it was rejected."""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

import msgspec

from servicelogs import formats
from servicelogs.command_line.explain_json import explain_record
from servicelogs.command_line.explain_messages import explain_message
from servicelogs.command_line.explain_text import TextExplainer
from servicelogs.command_line.explanation import Explanation, as_lines, shown
from servicelogs.command_line.files import (
    STANDARD_INPUT,
    LogFile,
    UnreadableFile,
    check_fields,
    note_on_fields,
    opened,
    rows_of_parquet,
    runs_of,
    types_of_files,
)
from servicelogs.detection.content import START_BYTES
from servicelogs.detection.log_events import EventType, Identify
from servicelogs.detection.objects import Detected
from servicelogs.errors import ServiceLogsError, UnknownLogType, UnreadableObject
from servicelogs.opensearch.dated_indexes import every_index, one_index
from servicelogs.opensearch.documents import parser_of
from servicelogs.opensearch.event_documents import EventDocuments
from servicelogs.parsing.format import Format
from servicelogs.parsing.json.cutting import JsonCutter
from servicelogs.parsing.json.format import JsonFormat
from servicelogs.parsing.messages.format import MessageFormat
from servicelogs.parsing.reader import Parser, read
from servicelogs.parsing.text.format import TextFormat
from servicelogs.parsing.text.layout import Layout
from servicelogs.parsing.text.parser import TextParser
from servicelogs.records import Block, Records, Reject, Source, TooLong
from servicelogs.sources.decompression import Begun, Readable, begin
from servicelogs.sources.log_events import Run

_WIDTH, _LEAST_WIDTH = 100, 60
_SHOWN = 60
_MOST_NUMBERS = 10
"""Of other rejected records."""
_NOT_WHOLE = ("too_long", "unreachable", "unreadable")
"""The types of errors of records of which at most the beginning is kept."""
_is_rejects_file = re.compile(rb'\s*\{[^{}]{0,4000}?"log_type"\s*:\s*"').match


class NotExplained(ServiceLogsError):
    """There is no such record, or what was given is not a log; the message says which."""


class _RejectLine(msgspec.Struct):
    """What a line of a rejects file says, as far as it matters here."""

    log_type: str
    error_type: str
    reason: str
    raw: str = ""
    raw_base64: bytes = b""
    source: str = STANDARD_INPUT
    source_id: str = ""
    delivered: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    account_id: str = ""
    region: str = ""
    log_group: str = ""
    log_stream: str = ""
    record_number: int = 1

    def bytes(self) -> bytes:
        """Give the record as AWS wrote it."""
        return self.raw_base64 or self.raw.encode()


@dataclass(slots=True)
class _Found:
    """A record, and what `parse` makes of it."""

    log_format: Format
    source: Source
    raw: bytes
    number: int
    reject: Reject | None
    columns: Layout[Any] | None = None
    """For text: the layout that the last header said, before the lines in `before`."""
    before: Sequence[bytes] = ()
    also_rejected: Sequence[int] = ()
    """The numbers of other records of its source that are rejected, the first of them."""


def explain(
    given: str, *, log_type: str, fields: tuple[str, ...], record: int, as_json: bool
) -> bool:
    """Print what became of a record of a file or line; return whether it matches.

    Without a number (0) it is the first that is rejected, else the first of all.
    """
    if log_type:
        formats.get(log_type)  # an error if there is none
    explained = _explained(given, log_type, fields, record)
    if as_json:
        lines = iter([json.dumps(asdict(explained))])
    else:
        width = max(min(shutil.get_terminal_size((_WIDTH, 0)).columns, 2 * _WIDTH), _LEAST_WIDTH)
        lines = as_lines(explained, formats.get(explained.log_type).title, width)
    encoding = sys.stdout.encoding or "utf-8"
    text = "".join(f"{line}\n" for line in lines)
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()
    return explained.matches


def _explained(given: str, log_type: str, fields: tuple[str, ...], record: int) -> Explanation:
    explainer = _Explainer(log_type, fields, record)
    if given != STANDARD_INPUT and not _is_file(given):
        return _explained_line(given, log_type, explainer)
    try:
        with opened(given) as stream:
            file = LogFile(given, "", stream)
            return explainer.explain(file.key, file, file)
    except (UnreadableFile, UnknownLogType, NotExplained) as error:
        raise NotExplained(f"{shown(given, _SHOWN)}: {error}") from error


def _explained_line(given: str, log_type: str, explainer: "_Explainer") -> Explanation:
    if not given.strip():
        raise NotExplained("nothing was given: give a line in quotes, a file, or - to read one")
    is_word = len(given.split()) == 1 and not given.lstrip().startswith(("{", "["))
    if is_word and not log_type:
        raise NotExplained(f"{shown(given, _SHOWN)}: there is no such file; check its name")
    try:
        explained = explainer.explain("", BytesIO(os.fsencode(given)), None)
    except UnknownLogType as error:
        raise UnknownLogType(
            f"there is no such file, and as a line: {error} (a value that does not match may hide "
            "its type)"
        ) from error
    if is_word:
        explained.notes.append("There is no file of that name: it was explained as a line.")
    return explained


def _is_file(given: str) -> bool:
    try:
        return given != "" and Path(given).exists()
    except (OSError, ValueError):  # a line is longer than any name
        return False


class _Explainer:
    """Explains the record that was asked for."""

    def __init__(self, log_type: str, fields: tuple[str, ...], record: int) -> None:
        self._log_type = log_type
        self._fields = fields
        self._record = record

    def explain(self, key: str, stream: Readable, file: LogFile | None) -> Explanation:
        """Explain a record of a text, which is a file's or (None) a line's."""
        begun = begin(stream, START_BYTES, rows_of_parquet)
        if _is_rejects_file(begun.start):
            return self._explain_reject(begun)
        types = types_of_files(self._log_type, self._fields)
        detected = types.identify(key, begun.start, begun.fault)
        start = begun.start[:START_BYTES]
        source = file.source(start, detected) if file else _source_of_line(detected)
        if detected.of_events:
            events = _ScanOfEvents(detected.of_events, runs_of(detected, begun.chunks, source))
            return _explain(_find(events, self._record), self._fields)
        log_format = self._checked(detected)
        parser = parser_of(log_format, source, one_index("explained"))
        scan = _Scan(log_format, parser, (detected.cut or parser.cut)(begun.chunks))
        return _explain(_find(scan, self._record), self._fields)

    def _explain_reject(self, begun: Begun) -> Explanation:
        """Explain the record that a line of a rejects file holds."""
        lines = _LinesOfRejects(begun.chunks)
        line = lines.get(self._record or 1)
        named = line.log_type if line.log_type in formats.NAMES else ""
        raw = line.bytes()
        log_type = self._log_type or named
        types = types_of_files(log_type, self._fields)
        by_name = types.by_key("") if log_type else None
        detected = by_name or types.identify("", raw[:START_BYTES], None)
        log_format = self._checked(detected)
        source = Source(
            line.source,
            line.source_id,
            line.delivered or datetime.now(UTC),
            line.account_id,
            line.region,
            line.log_group,
            line.log_stream,
        )
        found = _of_reject_line(line, raw, log_format, source)
        explained = _explain(found, self._fields)
        if found.reject is None or found.reject.reason != line.reason:
            explained.notes.append(
                f"It was rejected as {shown(line.error_type)}: {shown(line.reason)}"
            )
        if not self._record:
            explained.notes += lines.others()
        return explained

    def _checked(self, detected: Detected) -> Format:
        if detected.format is None:
            raise NotExplained(f"it is not a log: {detected.skip}")
        check_fields(detected.format, self._fields)
        return detected.format


def _source_of_line(detected: Detected) -> Source:
    return Source(STANDARD_INPUT, "", datetime.now(UTC), detected.account_id, detected.region)


class _LinesOfRejects:
    """The lines of a rejects file, read once."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._decoder = msgspec.json.Decoder(_RejectLine)
        self._pieces = JsonCutter("", self._decoder).cut(chunks)
        self._seen = 0

    def get(self, number: int) -> _RejectLine:
        """Give the line with this number."""
        for piece in self._pieces:
            self._see(piece)
            if isinstance(piece, Records) and number < piece.end:
                raw = piece.raw(number)
                try:
                    return self._decoder.decode(raw)
                except msgspec.DecodeError as error:
                    raise NotExplained(
                        f"line {number} is not one of a rejects file ({error}): "
                        f"{shown(raw, _SHOWN)}"
                    ) from error
        raise NotExplained(f"there is no line {number}: it has {self._seen}")

    def others(self) -> Iterator[str]:
        """Read to the end, and say how many lines there are beside the first."""
        fault = ""
        try:
            for piece in self._pieces:
                self._see(piece)
        except UnreadableObject as error:
            fault = f", and {error}"
        if self._seen > 1 or fault:
            yield (
                f"It is line 1 of {self._seen} of the rejects file{fault}; --record NUMBER "
                "explains another."
            )

    def _see(self, piece: Records | TooLong) -> None:
        self._seen = piece.number if isinstance(piece, TooLong) else piece.end - 1


def _of_reject_line(line: _RejectLine, raw: bytes, log_format: Format, source: Source) -> _Found:
    """Parse the record of a rejects file again, if the file has all of it."""
    parser = parser_of(log_format, source, one_index("explained"))
    number = line.record_number
    reject: Reject | None = Reject(number, line.error_type, line.reason, raw)
    if line.error_type not in _NOT_WHOLE:
        rejects = parser.take(Records(number, [raw]), 0).rejects
        reject = rejects[0] if rejects else None
    return _Found(log_format, source, raw, number, reject, _columns(parser))


def _columns(parser: Parser) -> Layout[Any] | None:
    return parser.columns if isinstance(parser, TextParser) else None


def _find(scan: "_Scan | _ScanOfEvents", wanted: int) -> _Found:
    """Find the record with a number; 0: the first that is rejected, else the first of all."""
    found: _Found | None = None
    rejected: list[int] = []
    last = 0
    for block in scan.blocks():
        last = block.end - 1
        if block.rejects and len(rejected) <= _MOST_NUMBERS:
            rejected += [reject.number for reject in block.rejects[: _MOST_NUMBERS + 1]]
        number = _number_in(block, wanted, first=found is None)
        if number and (found is None or found.reject is None):
            found = scan.found(block, number)
    if found is None:
        raise NotExplained(
            f"there is no record {wanted}: the last one is {last}"
            if wanted
            else "there is no record in it"
        )
    others = [number for number in rejected if number != found.number]
    found.also_rejected = others[:_MOST_NUMBERS]
    return found


def _number_in(block: Block, wanted: int, *, first: bool) -> int:
    """Give the number of the record of a block that may be the one to explain; 0: there is none."""
    if not wanted:
        if block.rejects:
            return block.rejects[0].number
        return next(_documents(block), 0) if first else 0
    if not block.first <= wanted < block.end:
        return 0
    if wanted in _documents(block) or any(one.number == wanted for one in block.rejects):
        return wanted
    raise NotExplained(
        f"line {wanted} is not a record: it is a header, a comment, empty, or goes on with another"
    )


def _documents(block: Block) -> Iterator[int]:
    """Give the numbers of the records of a block that are documents."""
    for document in bytes(block.body).split(b"\n")[1::2]:
        yield json.loads(document)["log"]["record"]


class _Scan:
    """Goes through a source, and knows of which piece of it each block is made."""

    def __init__(
        self, log_format: Format, parser: Parser, pieces: Iterable[Records | TooLong]
    ) -> None:
        self._format = log_format
        self._parser = parser
        self._cut = pieces
        self._piece: Records | TooLong | None = None
        self._columns: Layout[Any] | None = None

    def blocks(self) -> Iterator[Block]:
        """Give the blocks of the source."""
        return read(self._pieces(), self._parser)

    def _pieces(self) -> Iterator[Records | TooLong]:
        for piece in self._cut:
            self._piece = piece
            self._columns = _columns(self._parser)
            yield piece

    def found(self, block: Block, number: int) -> _Found:
        """Give a record of the block that came last."""
        reject = next((one for one in block.rejects if one.number == number), None)
        before: list[bytes] = []
        if isinstance(self._piece, Records) and self._piece.first <= number < self._piece.end:
            before = self._piece.items[: number - self._piece.first]
        source, raw = self._parser.source, block.raw(number)
        return _Found(self._format, source, raw, number, reject, self._columns, before)


class _ScanOfEvents:
    """Goes through log events, and knows of which type those of each block are."""

    def __init__(self, identify: Identify, runs: Iterable[Run]) -> None:
        self._types = identify
        self._runs = runs
        self._format: Format | None = None

    def blocks(self) -> Iterator[Block]:
        """Give the blocks of the events."""
        for _, block in EventDocuments(self._identify, every_index()).blocks(self._read()):
            yield block

    def found(self, block: Block, number: int) -> _Found:
        """Give a record of the block that came last; a NotExplained if it is of no type."""
        reject = next((one for one in block.rejects if one.number == number), None)
        if self._format is None or block.events is None:
            raise NotExplained(f"record {number}: {reject.reason if reject else 'unknown type'}")
        source, _ = block.events
        parser = parser_of(self._format, source, one_index("explained"))
        raw = block.raw(number)
        return _Found(self._format, source, raw, number, reject, _columns(parser))

    def _read(self) -> Iterator[Run]:
        for run in self._runs:
            self._format = None
            yield run

    def _identify(self, source: Source, records: Records) -> EventType:
        found = self._types(source, records)
        self._format = found.format
        return found


def _explain(found: _Found, fields: tuple[str, ...]) -> Explanation:
    log_format, source, reject = found.log_format, found.source, found.reject
    explained = Explanation(log_format.name, found.number)
    if reject:
        explained.matches, explained.reason = False, reject.reason
    explained.also_rejected = list(found.also_rejected)
    if reject and reject.error_type in _NOT_WHOLE:
        if found.raw:
            explained.notes.append(f"It begins with: {shown(found.raw)}")
    elif isinstance(log_format, TextFormat) and found.columns:
        explainer = TextExplainer(log_format, source, given_columns=bool(fields))
        columns = explainer.columns_after(found.before, found.columns)
        explainer.explain(found.raw, columns, explained)
    elif isinstance(log_format, MessageFormat):
        explain_message(log_format, source, found.raw, explained)
    elif isinstance(log_format, JsonFormat):
        explain_record(log_format, found.raw, explained)
    if note := note_on_fields(log_format, fields):
        explained.notes.append(note)
    return explained
