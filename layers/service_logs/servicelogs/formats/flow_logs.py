"""What flow logs of VPCs and of transit gateways share: keys, headers, Parquet's rows, names."""

from collections.abc import Iterable

KEYS = (
    (
        "AWSLogs/{account}/vpcflowlogs/{region}/{day}/{hour?}"
        "{account}_vpcflowlogs_{region}_{id}_{minute}_{id}.log"
    ),
    (
        "AWSLogs/aws-account-id={account}/{aws?}service=vpcflowlogs/aws-region={region}/"
        "year={year}/month={month}/day={day_of_month}/{hive_hour?}"
        "{account}_vpcflowlogs_{region}_{id}_{minute}_{id}.log"
    ),
)

COMMON = {
    "source.ip": "srcaddr",
    "source.port": "srcport",
    "destination.ip": "dstaddr",
    "destination.port": "dstport",
    "network.iana_number": "protocol",
    "network.bytes": "bytes",
    "network.packets": "packets",
    "network.direction": "flow_direction",
    "event.start": "start",
    "event.end": "end",
    "cloud.account.id": "account_id",
}
"""Elastic Common Schema names of what both have."""

OPTION = "FlowLogFields"

_COLUMN = "[a-z][a-z0-9_-]*"


def foreign(columns: Iterable[str], others: Iterable[str]) -> str:
    """Match the columns that only the other kind of flow log has."""
    return "|".join(sorted(set(others) - set(columns)))


def header(columns: Iterable[str], others: Iterable[str]) -> str:
    """Match a line that names columns of one kind of flow log, and none of another's own.

    There may be newer names among them; but for those with a hyphen, the names are common words, so
    one of these must come first, and another behind it.
    """
    names = sorted(columns)
    some = "|".join(names)
    identifying = "|".join(name for name in names if "-" in name)
    return (
        rf"(?!(?:{_COLUMN}[ ]+)*(?:{foreign(names, others)})[ \r\n])"
        rf"(?=(?:(?:{some})[ ]+(?:{_COLUMN}[ ]+)*?(?:{some})|(?:{_COLUMN}[ ]+)*?(?:{identifying}))"
        r"[ \r\n])"
        rf"{_COLUMN}(?:[ ]+{_COLUMN})*+[ ]*\r?\n"
    )


def row(columns: Iterable[str], others: Iterable[str]) -> str:
    """Match a row of a Parquet file, as JSON, of one kind of flow log and not of another.

    Columns have names with underscores there; those that are common words identify nothing.
    """
    names = set(columns)
    identifying = sorted(name for name in names if "-" in name or name.startswith(("src", "dst")))
    return (
        rf'\{{(?![^\n]*?"(?:{foreign(names, others).replace("-", "_")})":)'
        rf'(?=[^\n{{}}]*?"(?:{"|".join(identifying).replace("-", "_")})":)'
    )
