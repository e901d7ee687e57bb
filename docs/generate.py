"""Writes the parts of pages that follow from the formats and the templates: `make docs`.

A page is prose with a few parts between `<!-- generated: NAME -->` and `<!-- end -->`. For a log
type without a page one is begun, its prose to be written.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from textwrap import dedent
from typing import Any

from docs import conditions, roles
from local.sample_logs import ACCOUNT, REGION, log_events, objects
from servicelogs import formats
from servicelogs.command_line.reference import field_entries, personal_fields, type_of
from servicelogs.dates import EPOCH, iso
from servicelogs.detection.keys import Place, places
from servicelogs.opensearch.dashboards.bodies import body_of_search
from servicelogs.opensearch.dashboards.export import index_of
from servicelogs.opensearch.dashboards.page_files import pages as dashboard_pages
from servicelogs.opensearch.dashboards.panels import Page, Search
from servicelogs.opensearch.dashboards.ppl import ppl_of_search
from servicelogs.opensearch.dated_indexes import one_index
from servicelogs.opensearch.documents import blocks_of, parser_of
from servicelogs.opensearch.index_names import IndexNames
from servicelogs.parsing.format import Format
from servicelogs.parsing.frame import FRAME
from servicelogs.parsing.messages.format import MessageFormat
from servicelogs.records import Block, Records, Source
from servicelogs.sources.decompression import decompressed

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "log-types"
LOG_BUCKET = ROOT / "scenarios" / "log_bucket.yaml"
DELIVERED = datetime(2026, 11, 20, 8, 20, 4, tzinfo=UTC)

_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

_NEW_PAGE = """\
# {title}

WHAT THEY ARE, IN A SENTENCE OR TWO.

<!-- generated: facts -->
<!-- end -->

## Switch it on

HOW, IN AWS.

## What the bucket must allow

<!-- generated: policy -->
<!-- end -->

## A document

<!-- generated: document -->
<!-- end -->

## Searches

THREE.

<!-- generated: dashboard -->
<!-- end -->

## Fields

<!-- generated: fields -->
<!-- end -->
"""

_TO_A_STREAM = "no service: they are sent to a Kinesis stream"


def pages() -> Iterator[tuple[Path, str]]:
    """Give each page's path and what it should hold."""
    for name in formats.NAMES:
        log_format = formats.get(name)
        path = PAGES / f"{name}.md"
        text = path.read_text() if path.exists() else _NEW_PAGE.format(title=log_format.title)
        yield path, _filled(text, lambda part, log_format=log_format: PARTS[part](log_format))
    for path in OTHER_PAGES:
        yield path, _filled(path.read_text(), lambda part: OTHER_PARTS[part]())


def _filled(text: str, content: Callable[[str], str]) -> str:
    return _PART.sub(lambda part: f"{part[1]}\n{content(part[2])}\n{part[3]}", text)


def _facts(log_format: Format) -> str:
    names = IndexNames("aws", "day")
    index = names.name(log_format, DELIVERED)
    every = names.searched(log_format.name)
    keys = "<br>".join(f"`{_key(template)}`" for template in log_format.keys)
    rows = [
        ("log type", f"`{log_format.name}`"),
        ("AWS's page", f"<{log_format.page}>"),
        *([("log groups", f"`{log_format.log_groups}`")] if log_format.log_groups else []),
        *([("objects", keys)] if keys else []),
        ("written by", _writer(log_format)),
        ("encryption of the bucket", _encryption(log_format.name)),
        ("indexes", f"`{index}`; all of them: `{every}`"),
    ]
    return _table(("", ""), rows)


def _writer(log_format: Format) -> str:
    if principal := log_format.service_principal:
        return f"`{principal}`"
    return "Firehose" if log_format.log_groups else _TO_A_STREAM


def _policy(log_format: Format) -> str:
    """Quote the statements that let the service write, as the log bucket's template has them."""
    if not log_format.service_principal:
        return "None: Firehose's role is of the same account, and has the rights itself.\n"
    template = LOG_BUCKET.read_text()
    statements = re.findall(r"^ {10}- Sid: .*\n(?: {12}.*\n)+", template, re.MULTILINE)
    principal = f"Service: {log_format.service_principal} }}"
    ours = "".join(statement for statement in statements if principal in statement)
    return f"```yaml\n{dedent(ours)}```\n"


def _document(log_format: Format) -> str:
    raw, document = _sample(log_format)
    if raw.startswith("{"):
        raw = json.dumps(json.loads(raw), indent=2)
    after = json.dumps(document, indent=2, ensure_ascii=False)
    return f"From\n\n```\n{raw}\n```\n\nbecomes\n\n```json\n{after}\n```\n"


def _sample(log_format: Format) -> tuple[str, dict[str, Any]]:
    """Give the sample record with the most fields, as AWS writes it and as it is indexed."""
    blocks = _events(log_format) if isinstance(log_format, MessageFormat) else _object(log_format)
    candidates = (found for block in blocks for found in _documents(block))
    raw, document = max(candidates, key=lambda found: _leaves(found[1]))
    # The time of indexing is the only thing that is not the same each time.
    document["event"]["ingested"] = "2026-11-20T08:20:11.482915Z"
    return raw, document


def _object(log_format: Format) -> Iterator[Block]:
    sample = next(one for one in objects() if one.format == log_format.name and one.records)
    account, region = places(sample.key).get(sample.format, Place())
    source = Source(f"s3://my-logs/{sample.key}", "0123456789abcdef", DELIVERED, account, region)
    chunks = decompressed(BytesIO(sample.data))
    return blocks_of(log_format, chunks, source, one_index("aws"))


def _events(log_format: Format) -> Iterator[Block]:
    uri = "s3://my-logs/firehose/2026/11/20/08/logs-1-2026-11-20-08-15-00-0a1b2c3d"
    for sample in log_events():
        if sample.format == log_format.name:
            source = Source(
                uri, "0123456789abcdef", DELIVERED, ACCOUNT, REGION, sample.group, sample.stream
            )
            times = [
                iso(EPOCH + timedelta(milliseconds=at))[:-1].encode() for at, _ in sample.events
            ]
            messages = [message.encode() for _, message in sample.events]
            parser = parser_of(log_format, source, one_index("aws"))
            yield parser.take(Records(1, messages, times=times), 0)


def _documents(block: Block) -> Iterator[tuple[str, dict[str, Any]]]:
    for line in bytes(block.body).split(b"\n")[1::2]:
        document = json.loads(line)
        yield block.raw(document["log"]["record"]).decode(), document


def _leaves(value: object) -> int:
    if isinstance(value, dict):
        return sum(map(_leaves, value.values()))
    return 1


def _fields(log_format: Format) -> str:
    rows = [
        (
            f"`{entry.name}`",
            entry.type,
            entry.since,
            ", ".join(f"`{name}`" for name in entry.also_called.split(", ") if name),
            entry.description,
        )
        for entry in field_entries(log_format)
    ]
    return _table(("field", "type", "since", "also called", "meaning"), rows)


def _dashboard(log_format: Format) -> str:
    """List the panels of its dashboard, and its saved searches in both languages."""
    (page,) = (page for page in dashboard_pages() if page.name == log_format.name)
    titles = ", ".join(panel.title for panel in page.panels)
    names = IndexNames("aws", "day")
    searches = (_saved_search(search, page, index_of(page, names)) for search in page.searches)
    return (
        f"Its [dashboard](../dashboards.md) shows: {titles}.\n\n"
        f"![The first panels of its dashboard](../pictures/{page.name}.png)\n\n"
        "Saved with it are these searches, here in OpenSearch's query DSL and in PPL (which the "
        "engine needs a plugin for, as Amazon OpenSearch Service has it).\n\n" + "\n".join(searches)
    )


def _saved_search(search: Search, page: Page, index: str) -> str:
    members = body_of_search(search).items()
    body = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in members)
    asked = f"```json\nGET {index}/_search\n{{\n{body}\n}}\n```"
    about = f" {search.about}" if search.about else ""
    return f"{search.title}.{about}\n\n{asked}\n\n```\n{ppl_of_search(search, page, index)}\n```\n"


PARTS: dict[str, Callable[[Format], str]] = {
    "dashboard": _dashboard,
    "facts": _facts,
    "policy": _policy,
    "document": _document,
    "fields": _fields,
}


def _overview() -> str:
    common = Counter(alias for name in formats.NAMES for alias in formats.get(name).common)
    shared = sorted(alias for alias, types in common.items() if types > 1)
    rows = []
    for name in formats.NAMES:
        log_format = formats.get(name)
        page = f"[{log_format.title}]({name}.md)"
        rows.append((f"`{name}`", page, _writer(log_format), _encryption(name)))
    return (
        _table(("log type", "what it is", "who writes", "encryption of the bucket"), rows)
        + "\nNames that several of them share: "
        + ", ".join(f"`{alias}`" for alias in shared)
        + ".\n"
    )


def _frame() -> str:
    rows = [(f"`{field.name}`", type_of(field), field.description) for field in FRAME]
    return _table(("field", "type", "meaning"), rows)


def _personal() -> str:
    rows = []
    for name in formats.NAMES:
        log_format = formats.get(name)
        holding: dict[str, list[str]] = {}
        for field, what in personal_fields(log_format).items():
            holding.setdefault(what, []).append(f"`{field}`")
        found = "<br>".join(f"{what}: {', '.join(holding[what])}" for what in sorted(holding))
        rows.append((f"[`{name}`](log-types/{name}.md)", found or "none"))
    return _table(("log type", "fields"), rows)


_OF_EVERY_FUNCTION = {
    "WritesItsLog",
    "SendsTraces",
    "LetsLambdaConnectSubnets",
    "LetsLambdaLookAtSubnets",
}
"""What the page says of all functions at once."""


def _roles() -> str:
    text = []
    for path in roles.SCENARIOS:
        found = [*roles.roles(roles.read(path))]
        if found:
            text.append(f"### `{path.relative_to(ROOT)}`\n")
        for role in found:
            own = [one.row for one in _of_its_own(role)]
            heading = f"**`{role.name}`**, {role.of}\n\n"
            rows = _table(("what for", "actions", "on", "when"), own) if own else "Nothing more.\n"
            text.append(heading + rows)
    return "\n".join(text)


def _of_its_own(role: roles.Role) -> list[roles.Statement]:
    return [one for one in role.statements if one.content["Sid"] not in _OF_EVERY_FUNCTION]


def _others() -> str:
    rows = [
        (f"`{path.stem}`", roles.principal(one), one.content["Effect"].lower(), *one.row[1:])
        for path in roles.SCENARIOS
        for one in roles.policies_of_resources(roles.read(path))
    ]
    return _table(("scenario", "who", "may", "actions", "on", "when"), rows)


def _conditions() -> str:
    """Say what the conditions mean that the tables name."""
    meanings: dict[str, dict[str, list[str]]] = {}
    keys = set()
    for path in roles.SCENARIOS:
        template = roles.read(path)
        shown = [one for role in roles.roles(template) for one in _of_its_own(role)]
        for statement in (*shown, *roles.policies_of_resources(template)):
            keys |= set(statement.held_by)
            for name in (one.removeprefix("not ") for one in statement.there_if):
                said = conditions.in_words(name, template["Conditions"])
                where = meanings.setdefault(name, {}).setdefault(said, [])
                where += [] if path.stem in where else [path.stem]
    there = [(f"if `{name}`", _by_scenario(meanings[name])) for name in sorted(meanings)]
    held = [(f"held by `{key}`", conditions.HELD[key]) for key in sorted(keys)]
    return _table(("the tables say", "which means"), [*there, *held])


def _by_scenario(meanings: dict[str, list[str]]) -> str:
    """Write what a condition means; where that differs, in which scenario."""
    if len(meanings) == 1:
        return next(iter(meanings))
    return "<br>".join(
        f"{', '.join(f'`{one}`' for one in where)}: {said}" for said, where in meanings.items()
    )


def _selectors() -> str:
    """Write the selectors of the root's output with names to put in."""
    value = roles.read(ROOT / "template.yaml")["Outputs"]["DataEventSelectors"]["Value"]
    _, with_lake, _ = value["Fn::If"]
    text = with_lake["Fn::Sub"].replace("${AWS::Partition}", "aws")
    selectors = json.loads(re.sub(r"\$\{\w+\.Outputs\.(\w+)\}", r"\1", text))
    return f"```json\n{json.dumps(selectors, indent=2)}\n```\n"


OTHER_PAGES = (
    PAGES / "README.md",
    ROOT / "SECURITY.md",
    ROOT / "docs" / "loops.md",
    ROOT / "docs" / "privacy.md",
)
OTHER_PARTS: dict[str, Callable[[], str]] = {
    "types": _overview,
    "frame": _frame,
    "personal": _personal,
    "roles": _roles,
    "others": _others,
    "conditions": _conditions,
    "selectors": _selectors,
}


def _encryption(log_type: str) -> str:
    """Say it as the log bucket's template does, which refuses a customer key for the others."""
    allowed = re.search(r"!Ref LogTypes\n +- \[([^]]*)\]", LOG_BUCKET.read_text())
    if allowed is None:
        raise ValueError(f"{LOG_BUCKET} does not say which log types may have a customer key")
    return "SSE-S3 or a customer key" if log_type in allowed[1].split(", ") else "SSE-S3 only"


def _key(template: str) -> str:
    """Write a key's layout for a reader: what may be missing is in brackets."""
    return re.sub(r"\{(\w+)\?\}", r"[\1]", template)


def _table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [headings, ("---",) * len(headings), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '\\|') for cell in row)} |\n" for row in lines)


def main() -> int:
    """Write the pages, or with --check only say which are not as they should be."""
    check = sys.argv[1:] == ["--check"]
    stale = [
        (path, text) for path, text in pages() if not path.exists() or path.read_text() != text
    ]
    for path, text in stale:
        if check:
            name = path.relative_to(ROOT)
            sys.stderr.write(f"{name} does not follow formats and templates: make docs\n")
        else:
            path.write_text(text)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
