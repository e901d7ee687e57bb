"""Write the compressed inputs of golden cases, and what is expected of every input: `make cases`.

`make cases CASES="waf/* alb/ipv6"` writes some. Read the difference line by line against AWS's
documentation before you commit it.
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
from tests.formats.envelopes import documents_of
from tests.formats.parsing import Parsed, parse

FOLDER = Path(__file__).parent
EVENTS = FOLDER / "log_events"
EXPECTED = ".expected.json"


def cases() -> list[Path]:
    """Return the inputs of all cases."""
    return sorted(
        path
        for name in formats.NAMES
        for path in (FOLDER / name).glob("*")
        if not path.name.endswith((EXPECTED, ".py"))
    )


def event_cases() -> list[Path]:
    """Return the inputs of cases whose records are events: envelopes of CloudWatch Logs."""
    return sorted(path for path in EVENTS.glob("*/*.json") if not path.name.endswith(EXPECTED))


def expected_file(case: Path) -> Path:
    """Return where it stands what a case becomes."""
    return case.with_name(case.name.partition(".")[0] + EXPECTED)


def outcome(case: Path) -> dict[str, Any]:
    """Parse a case's input as an object is read, and return what it becomes."""
    log_format = formats.get(case.parent.name)
    if case.is_relative_to(EVENTS):
        return {"documents": documents_of(log_format, case.read_bytes()), "rejects": []}
    return _written(parse(log_format, decompressed(BytesIO(case.read_bytes()))))


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
        source = next((path for path in cases() if path.match(f"{name}/documented.*")), None)
        if source is None:
            sys.exit(f"write {FOLDER / name}/documented.log first: records as AWS documents them")
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


def main(asked: list[str]) -> None:
    """Write what was asked for, or everything."""
    asked = asked or ["*/*"]
    for name, data in compressed():
        if any(Path(name).match(f"{pattern}.*") for pattern in asked):
            (FOLDER / name).write_bytes(data)
    for pattern in asked:
        found = [case for case in (*cases(), *event_cases()) if case.match(f"{pattern}.*")]
        if not found:
            sys.exit(f"no case is called {pattern!r}: name it as in alb/ipv6, or alb/* for all")
        for case in found:
            write_expected(expected_file(case), outcome(case))


def write_expected(file: Path, found: dict[str, Any]) -> None:
    """Write what an input becomes; a file that says the same in another order stays as it is."""
    if not file.exists() or json.loads(file.read_text()) != found:
        file.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
