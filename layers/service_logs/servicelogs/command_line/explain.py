"""`servicelogs explain`: what became of one record, for whoever looks into why it was rejected."""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Annotated

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
    type_given,
    types_of_files,
)
from servicelogs.command_line.finding import (
    EventScan,
    Found,
    NotExplained,
    RecordScan,
    Scan,
    columns_of,
    find,
)
from servicelogs.detection.content import START_BYTES
from servicelogs.detection.objects import Detected
from servicelogs.errors import UnknownLogType, UnreadableObject
from servicelogs.opensearch.dated_indexes import one_index
from servicelogs.opensearch.documents import parser_of
from servicelogs.parsing.format import Format
from servicelogs.parsing.json.cutting import JsonCutter
from servicelogs.parsing.json.format import JsonFormat
from servicelogs.parsing.messages.format import MessageFormat
from servicelogs.parsing.text.format import TextFormat
from servicelogs.records import Records, Reject, Source, TooLong
from servicelogs.sources.decompression import Begun, begin

_WIDTH, _LEAST_WIDTH = 100, 60
_SHOWN = 60
_NOT_WHOLE = ("too_long", "unreachable", "unreadable")
"""The types of errors of records of which at most the beginning is kept."""
_is_rejects_file = re.compile(rb'\s*\{[^{}]{0,4000}?"log_type"\s*:\s*"').match


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
    time: str = ""

    def bytes(self) -> bytes:
        """Give the record as AWS wrote it."""
        return self.raw_base64 or self.raw.encode()


def explain(
    given: str, *, log_type: str, fields: tuple[str, ...], key: str, record: int, as_json: bool
) -> bool:
    """Print what became of a record of a file or line; return whether it matches.

    Without a number (0) it is the first that is rejected, else the first of all. Empty texts stand
    for what was not given.
    """
    given_type = type_given(log_type, key)
    explained = _explained(given, key, _Explainer(given_type, fields, record))
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


def _explained(given: str, key: str, explainer: "_Explainer") -> Explanation:
    if given != STANDARD_INPUT and not _is_file(given):
        return _explained_line(given, key, explainer)
    try:
        with opened(given) as stream:
            return explainer.explain(LogFile(given, key, stream))
    except (UnreadableFile, UnknownLogType, NotExplained) as error:
        raise NotExplained(f"{shown(given, _SHOWN)}: {error}") from error


def _explained_line(given: str, key: str, explainer: "_Explainer") -> Explanation:
    if not given.strip():
        raise NotExplained("nothing was given: give a line in quotes, a file, or - to read one")
    is_word = len(given.split()) == 1 and not given.lstrip().startswith(("{", "["))
    if is_word and not explainer.log_type:
        raise NotExplained(f"{shown(given, _SHOWN)}: there is no such file; check its name")
    try:
        explained = explainer.explain(LogFile(STANDARD_INPUT, key, BytesIO(os.fsencode(given))))
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
        self.log_type = log_type
        self._fields = fields
        self._record = record

    def explain(self, file: LogFile) -> Explanation:
        """Explain a record of a file, or of what was given as a line."""
        begun = begin(file, START_BYTES, rows_of_parquet)
        if _is_rejects_file(begun.start):
            return self._explain_reject(begun)
        types = types_of_files(self.log_type, self._fields)
        detected = types.identify(file.key, begun.start, begun.fault)
        source = file.source(begun.start[:START_BYTES], detected)
        found = find(self._scan(detected, begun, source), self._record)
        return _explain(found, self._fields)

    def _scan(self, detected: Detected, begun: Begun, source: Source) -> Scan:
        if detected.of_events:
            runs, _ = runs_of(detected, begun.chunks, source)
            return EventScan(detected.of_events, runs, source)
        log_format = self._checked(detected)
        parser = parser_of(log_format, source, one_index("explained"))
        return RecordScan(log_format, parser, (detected.cut or parser.cut)(begun.chunks))

    def _explain_reject(self, begun: Begun) -> Explanation:
        """Explain the record that a line of a rejects file holds."""
        lines = _LinesOfRejects(begun.chunks)
        line = lines.get(self._record or 1)
        named = line.log_type if line.log_type in formats.NAMES else ""
        raw = line.bytes()
        log_type = self.log_type or named
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


def _of_reject_line(line: _RejectLine, raw: bytes, log_format: Format, source: Source) -> Found:
    """Parse the record of a rejects file again, if the file has all of it."""
    parser = parser_of(log_format, source, one_index("explained"))
    number = line.record_number
    reject: Reject | None = Reject(number, line.error_type, line.reason, raw)
    columns = columns_of(parser)
    if line.error_type not in _NOT_WHOLE:
        rejects = parser.take(Records(number, [raw]), 0).rejects
        reject = rejects[0] if rejects else None
    time = line.time.removesuffix("Z").encode() or None
    return Found(raw, number, reject, log_format, source, columns, time=time)


def _explain(found: Found, fields: tuple[str, ...]) -> Explanation:
    reject, log_format, source = found.reject, found.log_format, found.source
    if log_format is None:
        raise NotExplained(_why_no_type(found))
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
        explain_message(log_format, source, found.raw, found.time, explained)
    elif isinstance(log_format, JsonFormat):
        explain_record(log_format, found.raw, explained)
    if note := note_on_fields(log_format, fields):
        explained.notes.append(note)
    return explained


def _why_no_type(found: Found) -> str:
    """Say what is known of a log event whose type is not."""
    reason = shown(found.reject.reason) if found.reject else "its type is not known"
    others = ", ".join(map(str, found.also_rejected))
    also = f"; also rejected: {others}: --record NUMBER explains one" if others else ""
    return f"record {found.number}: {reason}{also}"
