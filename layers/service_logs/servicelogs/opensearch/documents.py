"""How the records of a source become documents: pieces of a bulk body, block by block.

What parses a kind of format is imported with the first object of that kind: a function that reads
text alone begins without what reads JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from servicelogs.opensearch.dated_indexes import ChooseIndex, DatedIndexes
from servicelogs.opensearch.frames import Frames
from servicelogs.parsing.format import Format
from servicelogs.parsing.reader import Cut, Parser, read
from servicelogs.records import Block, Source

if TYPE_CHECKING:
    from servicelogs.opensearch.json_documents import Members
    from servicelogs.opensearch.message_templates import Printers
    from servicelogs.opensearch.text_documents import Printer
    from servicelogs.parsing.json.format import JsonFormat
    from servicelogs.parsing.messages.format import Kind, MessageFormat
    from servicelogs.parsing.text.format import TextFormat
    from servicelogs.parsing.text.layouts import Layouts

# Each holds what was compiled of a format, and what it has learned.
_MOST_FORMATS = 64


def blocks_of(
    log_format: Format,
    chunks: Iterable[bytes],
    source: Source,
    choose_index: ChooseIndex,
    start: int = 1,
    cut: Cut | None = None,
) -> Iterator[Block]:
    """Turn an object's text into blocks of documents, from the record with this number on.

    `cut` cuts it into records, if not the format itself. An UnreadableObject that ends the chunks
    becomes one reject after the good records.
    """
    parser = parser_of(log_format, source, choose_index)
    return read((cut or parser.cut)(chunks), parser, start)


def parser_of(log_format: Format, source: Source, choose_index: ChooseIndex) -> Parser:
    """Give what turns the records of a source into blocks of documents."""
    frames = Frames(log_format, source, choose_index)
    match log_format.kind:
        case "text":
            return _text_parser(cast("TextFormat", log_format), frames)
        case "json":
            return _json_parser(cast("JsonFormat", log_format), frames)
        case "messages":
            return _message_parser(cast("MessageFormat", log_format), frames)


def parsers_of(indexes: DatedIndexes) -> Callable[[Format, Source], Parser]:
    """Give what makes documents of the records of any log type and source."""
    return lambda log_format, source: parser_of(log_format, source, indexes.of(log_format))


def _text_parser(log_format: TextFormat, frames: Frames) -> Parser:
    from servicelogs.opensearch.text_documents import TextDocuments
    from servicelogs.parsing.text.parser import TextParser

    return TextParser(layouts_of(log_format), TextDocuments(frames))


def _json_parser(log_format: JsonFormat, frames: Frames) -> Parser:
    from servicelogs.opensearch.json_documents import JsonDocuments
    from servicelogs.parsing.json.parser import JsonParser

    members = _members(log_format, with_places=frames.by_record)
    return JsonParser(log_format, JsonDocuments(members, frames))


def _message_parser(log_format: MessageFormat, frames: Frames) -> Parser:
    from servicelogs.opensearch.message_documents import MessageDocuments
    from servicelogs.parsing.messages.parser import MessageParser

    origin = log_format.origin(frames.source)
    printers = _printers(log_format, origin.kind or log_format.any_kind)
    documents = MessageDocuments(log_format, printers, origin.fields, frames)
    return MessageParser(printers.joiner, documents)


@lru_cache(_MOST_FORMATS)
def layouts_of(log_format: TextFormat) -> Layouts[Printer]:
    """Give a text format compiled for documents, once in a process."""
    from servicelogs.opensearch.text_documents import make_printer
    from servicelogs.parsing.text.layouts import Layouts

    return Layouts(log_format, make_printer)


@lru_cache(_MOST_FORMATS)
def _members(log_format: JsonFormat, *, with_places: bool) -> Members:
    from servicelogs.opensearch.json_documents import Members

    return Members(log_format, with_places=with_places)


@lru_cache(_MOST_FORMATS)
def _printers(log_format: MessageFormat, kind: Kind) -> Printers:
    from servicelogs.opensearch.message_templates import printers_of

    return printers_of(kind, log_format)
