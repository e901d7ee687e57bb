"""What polars takes to read the same objects into columns, for comparison.

It makes no documents, no typed fields within a value, no ids and no rejects, and reads one layout:
so it does less than ours, in columns where ours has records. In JSON its schema is inferred anew
for each object, as of a log whose members nobody has declared.
"""

import os
from collections.abc import Callable
from functools import partial

import msgspec
from isal import igzip

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # read at the import: CPU time is of all threads
import polars

type Read = Callable[[bytes], polars.DataFrame]


def _words(
    text: bytes, *, separator: str = " ", header: bool = False, skipped: int = 0, quote: str | None
) -> polars.DataFrame:
    return polars.read_csv(
        text,
        separator=separator,
        has_header=header,
        skip_rows=skipped,
        quote_char=quote,
        null_values="-",
        infer_schema_length=1_000,
    )


def _records_of(array: str, text: bytes) -> polars.DataFrame:
    """Read the records of a document, cut for it: it has no way to read a list as rows alone."""
    records = msgspec.json.decode(text, type=dict[str, msgspec.Raw])[array]
    lines = map(bytes, msgspec.json.decode(records, type=list[msgspec.Raw]))
    return polars.read_ndjson(b"\n".join(lines))


_quoted = partial(_words, quote='"')
_plain = partial(_words, quote=None)
READERS: dict[str, Read] = {
    "alb": _quoted,
    "alb_connection": _quoted,
    "alb_health_check": _plain,
    "clb": _quoted,
    "cloudfront": partial(_plain, separator="\t", skipped=2),
    "cloudfront_realtime": partial(_plain, separator="\t"),
    "cloudtrail": partial(_records_of, "Records"),
    "config": partial(_records_of, "configurationItems"),
    "nlb": _plain,
    "s3_access": _quoted,
    "tgw_flow": partial(_plain, header=True),
    "vpc_flow": partial(_plain, header=True),
    "waf": polars.read_ndjson,
}
"""Records of the other types, messages of log events, are not columns."""


def read(name: str, data: bytes) -> int:
    """Read a compressed object; return how many rows it has."""
    return READERS[name](igzip.decompress(data)).height
