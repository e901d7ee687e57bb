"""MySQL, MariaDB and Aurora MySQL: the forms of error, general, slow query and audit logs.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Concepts.MySQL.html
"""

import re
from collections.abc import Mapping

from servicelogs.parsing.messages.format import Form, Inside
from servicelogs.parsing.messages.patterns import IP, NUMBER, WHOLE, optional, unnamed

# MySQL writes UTC, or with log_timestamps=SYSTEM the distance from it.
_MYSQL_TIME = (
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?>\.(?P<fraction>\d{1,6})|)"
    r"(?:Z|(?P<offset>[+-]\d\d:\d\d))"
)
# MariaDB pads the hour with a blank, and MySQL up to 5.6 does so in part.
_MARIADB_TIME = r"(?P<time>\d{4}-\d\d-\d\d [ \d]?\d:\d\d:\d\d)"
_SHORT_TIME = r"(?P<time>\d{6} [ \d]?\d:\d\d:\d\d)"

_BANNER = r"[^\s,]{0,200}?(?:mysqld|mariadbd)[^\s,]{0,50}, Version: [^\n]*"
"""The first of the three lines that the server begins a log file with."""
_WHOLE_BANNER = (
    rf"{_BANNER}started with:(?:\Z|\nT[Cc][Pp] [Pp]ort: [^\n]*+"
    r"(?:\Z|\nTime[\t ]++Id Command[\t ]++Argument(?=\n|\Z)))"
)
_OF_BANNERS = Inside("", rf"(?:\A|\n|(?<=\n))({_WHOLE_BANNER})\n?")

ERROR_BEGINS = r"\d{4}-\d\d-\d\d[T ]|\d{6} [ \d]\d:\d\d:\d\d "
ERROR = (
    Form(
        pattern=rf"{_MYSQL_TIME} (?P<thread_id>{WHOLE}) \[(?P<level>\w++)\] "
        r"(?>\[(?P<error_code>MY-\d{1,9})\] \[(?P<subsystem>[^\]\n]*+)\] |)(?P<message>.*)",
        constants={"engine": "mysql"},
    ),
    Form(pattern=rf"{_MYSQL_TIME} (?P<message>.*)", constants={"engine": "mysql"}),
    Form(
        pattern=rf"{_MARIADB_TIME} (?P<thread_id>{WHOLE}) \[(?P<level>\w++)\] (?P<message>.*)",
        constants={"engine": "mariadb"},
    ),
    Form(pattern=rf"{_MARIADB_TIME} (?P<message>.*)"),
    Form(pattern=rf"{_SHORT_TIME} \[(?P<level>\w++)\] (?P<message>.*)"),
    Form(pattern=rf"{_SHORT_TIME} (?P<message>server_audit: .*)"),
)

_COMMANDS = (
    "Sleep|Quit|Init DB|Query|Field List|Create DB|Drop DB|Refresh|Shutdown|Statistics|"
    "Processlist|Connect Out|Connect|Kill|Debug|Ping|Time|Delayed insert|Change user|"
    "Binlog Dump GTID|Binlog Dump|Table Dump|Register Slave|Register Replica|Prepare|Execute|"
    "Long Data|Close stmt|Reset stmt|Reset Connection|Set option|Fetch|Daemon|Error|clone|"
    "Bulk_execute|Unimpl get tid"
)
_ROW = rf"[\t ] *(?P<thread_id>{WHOLE}) (?=[A-Z])"
GENERAL_BEGINS = rf"\d{{4}}-\d\d-\d\dT|\d{{6}} [ \d]\d:\d\d:\d\d\t|\t\t *\d+ [A-Z]|{_BANNER}"
GENERAL_INSIDE = (
    _OF_BANNERS,
    # MariaDB writes the time only where the second changes.
    Inside(r"\d{6} |\t\t", rf"\n(?=\t\t(?=[ \d]{{5}}) *\d+ (?:{_COMMANDS})(?:\t|\n|\Z))"),
)
_SAID = (
    Form(pattern=r"(?P<command>Query|Prepare|Execute)[\t ](?P<statement>.*)"),
    Form(pattern=r"(?P<command>Init DB)[\t ](?P<database>.*)"),
    Form(
        pattern=r"(?P<command>Connect)[\t ](?P<user>[^\n]{0,255})@"
        rf"(?:(?P<client_ip>{IP})|(?P<client_host>[^@\s]*+))(?: as [^\n]{{1,255}}?)?"
        r" on (?P<database>[^\n]{0,64}?)(?: using (?P<connection_type>[A-Za-z /]{1,40}))?"
    ),
    Form(pattern=rf"(?P<command>{_COMMANDS})(?:[\t ]+(?P<message>.*))?"),
    Form(pattern=r"(?P<command>[A-Z][A-Za-z_ ]{0,40}?)\t(?P<message>.*)"),
)
GENERAL = (
    Form(pattern=rf"{_MYSQL_TIME}{_ROW}", inner=_SAID),
    Form(pattern=rf"{_SHORT_TIME}{_ROW}", inner=_SAID, constants={"engine": "mariadb"}),
    # MariaDB writes the time only where the second changes.
    Form(pattern=rf"\t{_ROW}", inner=_SAID, constants={"engine": "mariadb"}),
)


def _ended(value: bytes) -> bytes:
    """Take the end of a statement away from it."""
    return value.rstrip().removesuffix(b";").rstrip(b"\0")


def _rows(value: bytes) -> bytes:
    """Take from the lines of a plan what marks them as such."""
    return value.replace(b"\n# explain: ", b"\n")


def _pairs(*names: str, number: str = WHOLE) -> str:
    """Match pairs of a name and a number that follow each other, any of them left out."""
    return "".join(optional(rf"[ ]+{name}: (?P<{name.lower()}>{number})") for name in names)


def _words(*names: str) -> str:
    return "".join(optional(rf"[ ]+{name}: (?P<{name.lower()}>\w++)") for name in names)


_HEAD = (
    rf"(?>\# Time: (?:{_MYSQL_TIME}|{_SHORT_TIME})\s+|)"
    r"\# User@Host: (?P<priv_user>[^\[\n]*+)\[(?P<user>[^\]\n]*+)\] @ "
    r"(?P<client_host>[^\s\[]*+) *\[(?P<client_ip>[^\]\s]*+)\]"
    rf"(?>[ ]+Id:[ ]+(?P<thread_id>{WHOLE})|)\s+"
)
_FIGURES = (
    rf"\# Query_time: (?P<query_time>{NUMBER})[ ]+Lock_time: (?P<lock_time>{NUMBER})"
    + _pairs("Rows_sent", "Rows_examined")
    # log_slow_extra
    + _pairs("Thread_id", "Errno", "Killed", "Bytes_received", "Bytes_sent")
    + _pairs("Read_first", "Read_last", "Read_key", "Read_next", "Read_prev")
    + _pairs("Read_rnd", "Read_rnd_next", "Sort_merge_passes", "Sort_range_count")
    + _pairs("Sort_rows", "Sort_scan_count", "Created_tmp_disk_tables", "Created_tmp_tables")
    + r"(?>[ ]+Start: (?P<start_time>[0-9T:.+-]+Z?)|)(?>[ ]+End: (?P<end_time>[0-9T:.+-]+Z?)|)\s+"
)
_LINES_OF_MARIADB = (
    rf" Thread_id: (?P<thread_id>{WHOLE}) +Schema: (?P<database>[^\n]*?) +QC_hit: (?P<qc_hit>\w++)",
    "(?= Rows_affected)" + _pairs("Rows_affected", "Bytes_sent"),
    "(?= Pages_accessed)"
    + _pairs("Pages_accessed", "Pages_read", "Pages_prefetched", "Pages_updated")
    + _pairs("Old_rows_read", "Undo_rows_read"),
    "(?= Pages_read_time)" + _pairs("Pages_read_time", "Engine_time", number=NUMBER),
    "(?= Tmp_tables)" + _pairs("Tmp_tables", "Tmp_disk_tables", "Tmp_table_sizes"),
    "(?= Tmp_table_sizes)" + _pairs("Tmp_table_sizes"),
    "(?= Full_scan)" + _words("Full_scan", "Full_join", "Tmp_table", "Tmp_table_on_disk"),
    "(?= Filesort)"
    + _words("Filesort", "Filesort_on_disk")
    + _pairs("Merge_passes")
    + _words("Priority_queue"),
    r" Stored_routine: (?P<stored_routine>[^\n]*+)",
    r" explain: (?P<explain>[^\n]*+(?:\n\# explain: [^\n]*+)*+)",
    "",
)
_OF_MARIADB = rf"(?>(?:\#(?:{'|'.join(_LINES_OF_MARIADB)}) *\n)*)"
"""What MariaDB writes before and behind the figures, as log_slow_verbosity says."""
_UNKNOWN_LINES = optional(r"(?P<message>(?:\#(?! administrator)[^\n]*+\n)+)")
_STATEMENT = (
    r"(?>use `?(?P<database>[^;`\n]*+)`?;\s+|)"
    r"(?>SET (?:last_insert_id=\d++,)?+(?:insert_id=\d++,)?+"
    r"timestamp=(?P<time>\d{1,11})(?:\.\d++)?+;\s*+|)"
    r"(?:\# administrator command: (?P<command>[A-Za-z_ ]++);?+\s*+|(?P<statement>.*))"
)

SLOW_BEGINS = rf"\# Time: |\# User@Host: |{_BANNER}"
SLOW_UNFINISHED = r"\# Time: [0-9T:.+Z -]*"
"""The time has an event of its own where lines are events, and belongs to the block behind it."""
_FIGURES_FOLLOW = rf"(?:\# Thread_id: [^\n]*+\n)?+\# Query_time: {NUMBER} "
SLOW_INSIDE = (
    _OF_BANNERS,
    # A statement may hold a line like one of these, for any text may be in it.
    Inside(SLOW_BEGINS, rf"(?<=;)\n(?={unnamed(_HEAD)}{_FIGURES_FOLLOW})"),
)
SLOW = (
    Form(
        pattern=f"{_HEAD}{_FIGURES}{_STATEMENT}",
        constants={"engine": "mysql"},
        convert={
            "statement": _ended,
            "priv_user": bytes.strip,
            "explain": _rows,
            "message": bytes.strip,
        },
    ),
    Form(
        pattern=f"{_HEAD}{_OF_MARIADB}{_FIGURES}{_OF_MARIADB}{_UNKNOWN_LINES}{_STATEMENT}",
        constants={"engine": "mariadb"},
        convert={
            "statement": _ended,
            "priv_user": bytes.strip,
            "explain": _rows,
            "message": bytes.strip,
        },
    ),
)

_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_MEANT = {b"b": b"\b", b"t": b"\t", b"n": b"\n", b"f": b"\f", b"r": b"\r"}


def _unescaped(value: bytes) -> bytes:
    if b"\\" not in value:
        return value
    return _ESCAPED.sub(lambda one: _MEANT.get(one[1], one[1]), value)


AUDIT_BEGINS = r"\d{8} \d\d:\d\d:\d\d,|\d{16},"
# Line feeds in statements are escaped.
AUDIT_INSIDE = (Inside("", rf"\n(?={AUDIT_BEGINS})"),)
_AUDIT_HEAD = (
    r",(?P<server_host>[^,\n]*+),(?P<user>[^\n]{0,255}?),"
    rf"(?:(?P<client_ip>{IP})|(?P<client_host>[^,\n]*+)),"
    rf"(?P<connection_id>{WHOLE}),(?P<query_id>{WHOLE}),(?P<operation>[A-Z_]++),"
    r"(?P<database>[^,\n]*+),"
)
_AUDIT_END = (
    r"(?>,(?P<return_code>(?:0|[1-9]\d{0,8}+))|),*+(?>(?P<connection_type>[A-Z][^,\n]*+)|),*+"
)
_TEXT = r"'(?P<statement>[^'\\]*+(?:\\.[^'\\]*+)*+)"


def _audit(time: str, constants: Mapping[str, str]) -> tuple[Form, ...]:
    """Give the forms of a row, of which the first is that of whole ones.

    A user's name may hold commas, and anybody can try to connect with one that looks like the
    columns behind it: it ends where all that follows is a row's rest.
    """
    object_ = r"(?P<object>`[^\n]{0,800}`@`[^\n]{0,800}`|[^,\n']{0,800}+)"
    convert = {"statement": _unescaped}
    return (
        Form(
            pattern=rf"{time}{_AUDIT_HEAD}(?:{_TEXT}'|{object_}){_AUDIT_END}",
            constants=constants,
            convert=convert,
        ),
        Form(
            pattern=f"{time}{_AUDIT_HEAD}",
            # A text cut off by the server may lack its last quote.
            inner=(Form(pattern=rf"{_TEXT}\\?"),),
            constants=constants,
            convert=convert,
        ),
    )


AUDIT = (
    *_audit(r"(?P<time>\d{8} \d\d:\d\d:\d\d)", {}),
    # Aurora: microseconds since 1970
    *_audit(r"(?P<time>\d{10})(?P<fraction>\d{6})", {"engine": "mysql"}),
)
