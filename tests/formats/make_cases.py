"""Write the inputs of golden cases that are not plain text, and, on demand, what is expected.

With PYTHONPATH=layers/service_logs, `python -m tests.formats.make_cases` writes the compressed
inputs from the texts beside them, and `python -m tests.formats.make_cases --expected [CASE…]` the
expected files: read the difference line by line against AWS's documentation before you commit it.
"""

import gzip
import json
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import zstandard

from servicelogs import formats
from servicelogs.sources.decompression import decompressed
from tests.formats.parsing import Parsed, parse

FOLDER = Path(__file__).parent
EXPECTED = ".expected.json"


def cases() -> list[Path]:
    """Return the inputs of all cases."""
    return sorted(
        path
        for name in formats.NAMES
        for path in (FOLDER / name).iterdir()
        if not path.name.endswith((EXPECTED, ".py"))
    )


def expected_file(case: Path) -> Path:
    """Return where it stands what a case becomes."""
    return case.with_name(case.name.partition(".")[0] + EXPECTED)


def outcome(case: Path) -> dict[str, Any]:
    """Parse a case's input as an object is read, and return what it becomes."""
    return _written(parse(case.parent.name, decompressed(BytesIO(case.read_bytes()))))


def _written(parsed: Parsed) -> dict[str, Any]:
    """Leave out of the documents what is the same in each: the source and when it was parsed."""
    documents = []
    for number, document in sorted(parsed.documents.items()):
        assert document.pop("cloud") == {"account_id": "111122223333", "region": "eu-west-1"}
        log = document["log"]
        assert log.pop("source") == "s3://logs/some/key"
        documents.append({"_id": parsed.actions[number]["_id"]} | document)
    rejects = [
        {
            "record_number": reject.number,
            "error_type": reject.error_type,
            "reason": reject.reason,
            "raw": reject.raw.decode("utf-8", "backslashreplace"),
        }
        for reject in parsed.rejects
    ]
    return {"documents": documents, "rejects": rejects}


def compressed() -> Iterator[tuple[str, bytes]]:
    """Give the inputs that are not plain text, made from those that are."""
    for name in formats.NAMES:
        (source,) = (path for path in cases() if path.match(f"{name}/documented.*"))
        text = source.read_bytes()
        suffix = source.suffix
        cut = len(text) * 2 // 3  # inside a record
        gz = gzip.compress(text, mtime=0)
        members = (gzip.compress(part, mtime=0) for part in (text[:cut], b"", text[cut:]))
        yield f"{name}/gzip{suffix}.gz", gz
        yield f"{name}/gzip_members{suffix}.gz", b"".join(members)
        yield f"{name}/gzip_cut{suffix}.gz", _cut(text)
        yield f"{name}/zstd{suffix}.zst", zstandard.compress(text)


def _cut(text: bytes) -> bytes:
    """Compress without a table of its own, so that what stands before the cut can be read."""
    whole = gzip.compress(text, 0, mtime=0)
    return whole[: len(whole) - len(text) // 4]


def main(arguments: list[str]) -> None:
    """Write what was asked for."""
    if arguments[:1] != ["--expected"]:
        for name, data in compressed():
            (FOLDER / name).write_bytes(data)
        return
    for case in cases():
        if not arguments[1:] or any(case.match(f"{name}.*") for name in arguments[1:]):
            text = json.dumps(outcome(case), indent=2, ensure_ascii=False)
            expected_file(case).write_text(text + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
