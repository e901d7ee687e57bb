"""What somebody would write in ten minutes with the standard library, as a yardstick.

It takes lines apart, makes numbers of digits and leaves everything else as it is: no field has a
name of its own where the log has none, nothing is checked. So it does much less than ours; the
loops in plain_loops.py make the same documents as ours.
"""

import gzip
import hashlib
import io
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

type Record = dict[str, Any]

_VALUE = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"|\[([^\]]*)\]|(\S+)')
_SEPARATORS = {"vpc_flow": " ", "cloudfront": "\t"}


def _by_place(lines: Iterable[str]) -> Iterator[Record]:
    for line in lines:
        values = enumerate(_VALUE.findall(line))
        yield {f"f{at}": quoted or bracketed or word for at, (quoted, bracketed, word) in values}


def _by_header(lines: Iterable[str], separator: str) -> Iterator[Record]:
    names: list[str] = []
    for line in lines:
        if not names or line.startswith("#"):
            names = line.removeprefix("#Fields:").split()
            continue
        yield dict(zip(names, line.rstrip("\n").split(separator), strict=False))


_READERS: dict[str, Callable[[io.TextIOBase], Iterable[Record]]] = {
    "alb": _by_place,
    "cloudfront": lambda lines: _by_header(lines, _SEPARATORS["cloudfront"]),
    "cloudtrail": lambda text: json.load(text)["Records"],
    "s3_access": _by_place,
    "vpc_flow": lambda lines: _by_header(lines, _SEPARATORS["vpc_flow"]),
    "waf": lambda lines: map(json.loads, lines),
}
NAMES = tuple(_READERS)


def run(name: str, data: bytes) -> int:
    """Write a document of each record of a compressed object to nowhere; return how many."""
    number = 0
    with (
        gzip.open(io.BytesIO(data), "rt", encoding="utf-8", errors="replace") as text,
        Path(os.devnull).open("w", encoding="utf-8") as out,
    ):
        for number, record in enumerate(_READERS[name](text), 1):
            for field, value in record.items():
                if isinstance(value, str) and value.isdigit():
                    record[field] = int(value)
            record["@timestamp"] = record.get("eventTime") or "2026-11-20T00:00:00Z"
            source = hashlib.sha256(name.encode()).hexdigest()
            out.write(f'{{"create":{{"_id":"{source}-{number}"}}}}\n')
            out.write(json.dumps(record))
            out.write("\n")
    return number
