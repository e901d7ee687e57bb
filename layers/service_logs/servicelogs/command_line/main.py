"""What the command line takes, and what it says of the formats.

`servicelogs formats` answers at once: what parsing needs is imported when files are parsed.
"""

import argparse
import os
import re
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn, override

from servicelogs import formats
from servicelogs.command_line.reference import FieldEntry, field_entries
from servicelogs.errors import ConfigurationError, ServiceLogsError, one_line
from servicelogs.parsing.places import Place, place_of
from servicelogs.settings import field_names, index_prefix

ALL_WELL = 0
SOME_REJECTED = 1
SOME_DIFFER = 1
BAD_USAGE = 2

_HEADINGS = FieldEntry("field", "type", "since", "also called", "meaning")

_ABOUT_PARSE = """\
Write each record of AWS log files to standard output as a JSON document, one a line, in order.
Files are plain, compressed (gzip, zstd, bzip2, xz, ZIP) or, with pyarrow installed, Parquet, by
their content, and of any size. They hold records as AWS writes them to S3, or log events as
CloudWatch Logs' subscriptions send them (one message, or what Firehose wrote) or the AWS CLI prints
them (filter-log-events, get-log-events), or a batch of a Kinesis stream that Lambda gave up."""

_MORE_ABOUT_PARSE = """\
A file's type is identified by its path, if that is an S3 key as AWS lays them out (with anything
before it), else by its first lines. A file that is not a log (a digest, a test file, an empty file,
a rejects file) is skipped and named in the summary. A file that cannot be read or identified is an
error; the others are parsed all the same. A file that is given twice is an error before anything is
written.

The summary goes to standard error: a table on a terminal, else a line of JSON, the last one.

exit status: 0 nothing was rejected, 1 something was, 2 bad usage, an unknown type, or a file that
cannot be read or identified.

A document's id (with --bulk) is the event's own where AWS gives it one, else made of the file's
name as given (or --source), the start of its text, and the record number: the same input gives
the same ids. A deployment gives other ids, made of bucket, key and ETag.
The delivery time of a file is when it was modified last, that of a pipe is now: a record without a
time gets it, and a record dated more than a day later goes to the index of that day. Indexes have
the names of a deployment's default settings (aws-alb-2026.11.23)."""

_ABOUT_CONVERT = """\
Write the records of AWS log files as rows of Parquet files, with the columns and partitions that
the Light Engine's tables have: DIR/TABLE/ACCOUNT/REGION/DAY/NUMBER.parquet, each sorted by
event_time. TABLE is the log type, or its summary (alb_summary): what a minute's records come to.
Files are whatever parse reads."""

_MORE_ABOUT_CONVERT = """\
The folder is there when it is whole: until then, and if it fails, there is none. One that has
anything in it is not taken, for its rows would be there twice. A file that cannot be read or
identified is an error; the others are converted all the same.
A table of what was written goes to standard output; on a terminal, standard error shows how far it
is.

example: what a query may look like (DuckDB)
  servicelogs convert AWSLogs/**/*.log.gz --out lake
  duckdb -c "select elb_status_code, count(*) from 'lake/alb/*/*/*/*.parquet' group by 1"

exit status: 0 nothing was rejected, 1 something was, 2 bad usage, an unknown type, or a file that
cannot be read or identified."""

_ABOUT_EXPLAIN = """\
Show column by column (for JSON, field by field) what stands in a record, what it becomes in the
document, and which column does not match. Of a file it is the first record that is rejected, else
the first of all; a file may hold whatever parse reads."""

_MORE_ABOUT_EXPLAIN = """\
A line of a rejects file (of parse --rejects, or of the backup bucket) is recognised: the record in
it is explained, with its type. Of such a file, --record is the number of the line.
A bad value in a line may hide which type it has: name the type with --type.

examples:
  servicelogs explain access.log.gz --record 17
  servicelogs explain --type alb 'http 2026-11-20T08:14:55.123456Z app/web/0a1b …'
  servicelogs explain --source /aws/rds/instance/shop/error '2026-11-20T08:14:55.123456Z 0 [Warn…'
  aws s3 cp s3://BACKUP_BUCKET/rejected/alb/….ndjson.gz - | servicelogs explain -

exit status: 0 the record matches, 1 it does not, 2 bad usage, an unknown type, or what cannot be
read."""


_ABOUT_VERIFY = """\
Compare the lake's tables with its ledger: of each object, how many rows Athena counts, and how many
were published. --database, --work-group and --ledger are outputs of the scenario's stack
(DatabaseName, WorkGroupName, LedgerTableName); account and Region are those of your AWS
profile, or of the environment (AWS_DEFAULT_REGION)."""

_MORE_ABOUT_VERIFY = """\
Athena reads one column of all rows of each table, and bills that; where a table has more of it than
the workgroup allows a query, it cancels that query. Reading the ledger is billed by DynamoDB. What
differs is counted a second time, for batches may be published meanwhile.

exit status: 0 nothing differs, 1 something does, 2 bad usage, or AWS does not answer."""

_ABOUT_PANELS = """\
Write the pages of a deployment: each panel with the search request that fills it, and the searches
worth keeping, in OpenSearch's query DSL and in PPL. docs/dashboards.md describes the JSON, and the
files that it is made from.

exit status: 0 the files are in order, 2 they are not, and standard error says where."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say; return the exit status."""
    options = _arguments(arguments)
    try:
        if options.command == "formats":
            _write(_describe(options.name) if options.name else _list())
            return ALL_WELL
        if options.command == "explain":
            return _explain(options)
        if options.command == "lake":
            return _verify(options)
        if options.command == "panels":
            return _panels(options)
        return _convert(options) if options.command == "convert" else _parse(options)
    except ServiceLogsError as error:
        sys.stderr.write(f"servicelogs: {error}\n")
        return BAD_USAGE
    except BrokenPipeError:
        # Whoever read has seen enough.
        _drop_output()
        return 128 + signal.SIGPIPE
    except OSError as error:
        # A file that cannot be read is an error of its own: this one is about what we write.
        where = f" {one_line(str(error.filename))}" if error.filename else ""
        sys.stderr.write(f"servicelogs: cannot write{where}: {error.strerror}\n")
        _drop_output()
        return BAD_USAGE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _drop_output() -> None:
    """Let what is still buffered go nowhere, or Python would fail on it when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parse(options: argparse.Namespace) -> int:
    from servicelogs.command_line.parse import parse_files  # late: see this module's docstring

    outcome = parse_files(
        options.files,
        log_type=options.type,
        fields=options.fields,
        key=options.source,
        bulk=options.bulk,
        rejects=options.rejects,
    )
    if outcome.failed:
        return BAD_USAGE
    return SOME_REJECTED if outcome.rejected else ALL_WELL


def _convert(options: argparse.Namespace) -> int:
    with _needs("convert", "pyarrow"):
        from servicelogs.command_line.convert import convert_files  # late, like parsing

    converted = convert_files(
        options.files,
        options.out,
        log_type=options.type,
        fields=options.fields,
        key=options.source,
        default_place=Place(options.account or "", options.region or ""),
        rejects=options.rejects,
        as_json=options.json,
    )
    if converted.failed:
        return BAD_USAGE
    return SOME_REJECTED if converted.rejected else ALL_WELL


def _explain(options: argparse.Namespace) -> int:
    from servicelogs.command_line.explain import explain  # late, like parsing

    matches = explain(
        options.record_or_file,
        log_type=options.type,
        fields=options.fields,
        key=options.source,
        record=options.record,
        as_json=options.json,
    )
    return ALL_WELL if matches else SOME_REJECTED


def _verify(options: argparse.Namespace) -> int:
    with _needs("lake verify", "boto3"):
        from servicelogs.command_line.lake import verify_lake  # late, like parsing

    is_well = verify_lake(
        options.database, options.work_group, options.ledger, as_json=options.json
    )
    return ALL_WELL if is_well else SOME_DIFFER


def _panels(options: argparse.Namespace) -> int:
    with _needs("panels", "pyyaml"):
        from servicelogs.command_line.panels import write_panels  # late, like parsing

    found = write_panels(
        options.prefix,
        options.type or formats.NAMES,
        as_saved_objects=options.saved_objects,
        only_check=options.check,
    )
    return BAD_USAGE if found else ALL_WELL


class MissingLibrary(ServiceLogsError):
    """A command needs a library that is not installed; the message says which."""


@contextmanager
def _needs(command: str, package: str) -> Iterator[None]:
    """Import what a command needs beside the rest."""
    try:
        yield
    except ModuleNotFoundError as missing:
        raise MissingLibrary(
            f"{command} needs {missing.name}: install it (pip install {package})"
        ) from missing


class _OneLine(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one line."""

    @override
    def error(self, message: str) -> NoReturn:
        self.exit(BAD_USAGE, f"{self.prog}: {one_line(message)} (see {self.prog} --help)\n")


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = _OneLine(prog="servicelogs", description="Read the logs that AWS services write.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    listing = commands.add_parser("formats", help="list the log types, or describe one")
    listing.add_argument("name", nargs="?", metavar="NAME", help="a log type, as alb")
    parse = commands.add_parser(
        "parse",
        help="turn log files into JSON documents",
        description=_ABOUT_PARSE,
        epilog=_MORE_ABOUT_PARSE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_what_to_read(parse)
    parse.add_argument(
        "--bulk",
        action="store_true",
        help="write the body of a bulk request: for each document an action line and the document",
    )
    _add_convert(commands)
    _add_explain(commands)
    _add_lake(commands)
    _add_panels(commands)
    options, unknown = parser.parse_known_args(given)
    if unknown:
        commands.choices[options.command].error(f"unrecognized arguments: {' '.join(unknown)}")
    if options.command in ("parse", "convert") and options.source and len(options.files) > 1:
        command = commands.choices[options.command]
        command.error(f"--source is the key of one file: {options.command} each file by itself")
    return options


def _add_what_to_read(command: argparse.ArgumentParser) -> None:
    command.add_argument("files", nargs="+", metavar="FILE", help="a log file; - is standard input")
    command.add_argument(
        "--type",
        default="",
        metavar="NAME",
        help="the log type of all files, instead of identifying it",
    )
    command.add_argument(
        "--fields",
        type=_columns,
        default=(),
        metavar="NAMES",
        help="the columns of files without a header (plain CloudFront logs, flow logs), in order, "
        "as 'date time c-ip' or '${srcaddr} ${end}'; with --type, unless the file's path says it. "
        "Of CloudFront's real-time logs the fields of the configuration, in any order",
    )
    command.add_argument(
        "--source",
        default="",
        metavar="s3://BUCKET/KEY",
        help="the object that the file came from, or its key alone: it says type, account and "
        "Region, and becomes log.source, s3:///KEY without a bucket; or the log group whose events "
        "are the lines of the file, or what `aws logs filter-log-events --output json` printed of "
        "it: its name, if that begins with a slash, or its ARN or a log stream's (only with one "
        "FILE)",
    )
    command.add_argument(
        "--rejects",
        default="",
        metavar="FILE",
        help="write rejected records there, a line of JSON each with its reason, as in the backup "
        "bucket",
    )


def _add_convert(commands: "argparse._SubParsersAction[_OneLine]") -> None:
    convert = commands.add_parser(
        "convert",
        help="turn log files into Parquet files, as the Light Engine does",
        description=_ABOUT_CONVERT,
        epilog=_MORE_ABOUT_CONVERT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_what_to_read(convert)
    convert.add_argument(
        "--out", required=True, metavar="DIR", help="the folder to make, or an empty one"
    )
    convert.add_argument(
        "--account",
        type=_account,
        metavar="ID",
        help="the account of records of which neither path nor record names it",
    )
    convert.add_argument("--region", type=_region, metavar="REGION", help="their Region, likewise")
    convert.add_argument(
        "--json", action="store_true", help="write one JSON object, for programs, and no table"
    )


def _add_explain(commands: "argparse._SubParsersAction[_OneLine]") -> None:
    explain = commands.add_parser(
        "explain",
        help="show column by column why a record is rejected, or what it becomes",
        description=_ABOUT_EXPLAIN,
        epilog=_MORE_ABOUT_EXPLAIN,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    explain.add_argument(
        "record_or_file",
        metavar="LINE|FILE",
        help="a record, in quotes, or a log file, if there is one of that name; "
        "- is standard input",
    )
    explain.add_argument(
        "--type",
        default="",
        metavar="NAME",
        help="the log type, instead of identifying it: a value that does not match may hide it",
    )
    explain.add_argument(
        "--fields",
        type=_columns,
        default=(),
        metavar="NAMES",
        help="the columns where there is no header, as for parse",
    )
    explain.add_argument(
        "--source",
        default="",
        metavar="s3://BUCKET/KEY",
        help="the object or the log group that it came from, as for parse",
    )
    explain.add_argument(
        "--record",
        type=_record_number,
        default=0,
        metavar="NUMBER",
        help="the number of the record in the file (log.record, record_number)",
    )
    explain.add_argument(
        "--json", action="store_true", help="write one JSON object, for programs, and no table"
    )


def _add_lake(commands: "argparse._SubParsersAction[_OneLine]") -> None:
    lake = commands.add_parser("lake", help="ask about a Light Engine that is deployed")
    questions = lake.add_subparsers(dest="question", metavar="QUESTION", required=True)
    verify = questions.add_parser(
        "verify",
        help="compare the rows of each object with the ledger",
        description=_ABOUT_VERIFY,
        epilog=_MORE_ABOUT_VERIFY,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verify.add_argument("--database", required=True, metavar="NAME", help="the Glue database")
    verify.add_argument("--work-group", required=True, metavar="NAME", help="the Athena workgroup")
    verify.add_argument("--ledger", required=True, metavar="NAME", help="the DynamoDB table")
    verify.add_argument(
        "--json", action="store_true", help="write one JSON object, for programs, and no table"
    )


def _add_panels(commands: "argparse._SubParsersAction[_OneLine]") -> None:
    panels = commands.add_parser(
        "panels",
        help="write the pages of panels with their search requests, as JSON",
        description=_ABOUT_PANELS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    panels.add_argument(
        "--prefix",
        default="aws",
        type=_index_prefix,
        metavar="PREFIX",
        help="what the indexes' names begin with (aws)",
    )
    panels.add_argument(
        "--type",
        action="append",
        choices=formats.NAMES,
        metavar="NAME",
        help="a log type of the deployment; may be given several times (all)",
    )
    how = panels.add_mutually_exclusive_group()
    how.add_argument(
        "--saved-objects",
        action="store_true",
        help="write them as OpenSearch Dashboards imports them, a line of JSON each",
    )
    how.add_argument(
        "--check", action="store_true", help="write only what is wrong with the files of panels"
    )


def _index_prefix(text: str) -> str:
    try:
        return index_prefix("PREFIX", text)
    except ConfigurationError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _account(text: str) -> str:
    if not re.fullmatch(r"\d{12}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not the id of an account: 12 digits")
    return text


def _region(text: str) -> str:
    if text != "global" and not place_of([text]).region:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a Region, as eu-west-1")
    return text


def _record_number(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,17}", text):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not the number of a record, from 1")
    return int(text)


def _columns(text: str) -> tuple[str, ...]:
    names = field_names(text)
    if not names:
        raise argparse.ArgumentTypeError("there is no name of a column in it")
    return names


def _write(lines: Iterable[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _list() -> Iterator[str]:
    width = max(map(len, formats.NAMES))
    for name in formats.NAMES:
        yield f"{name:<{width}}  {formats.get(name).title}"


def _describe(name: str) -> Iterator[str]:
    log_format = formats.get(name)
    yield f"{log_format.name}: {log_format.title}"
    yield log_format.page
    yield ""
    rows = [_HEADINGS, *field_entries(log_format)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
