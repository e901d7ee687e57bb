"""PostgreSQL and Aurora PostgreSQL: the forms of log lines behind any log_line_prefix.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Concepts.PostgreSQL.html
"""

import re
from collections.abc import Mapping

from servicelogs.errors import ConfigurationError
from servicelogs.parsing.messages.format import NOTHING, Form, JsonForm
from servicelogs.parsing.messages.patterns import IP, NUMBER, PORT, WHOLE, optional, unnamed

PREFIXES = ("%m:%r:%u@%d:[%p]:%l:%e:%s:%v:%x:%c:%q%a", "%t:%r:%u@%d:[%p]:")
"""What log_line_prefix may be without a parameter of ours: the one with more, and RDS's own, whose
lines have no milliseconds. In this order, for a name may look like the rest of the second."""

_LEVELS = "LOG|ERROR|FATAL|WARNING|NOTICE|INFO|PANIC|DEBUG[1-5]"
_COMPANIONS = "DETAIL|HINT|QUERY|CONTEXT|STATEMENT|LOCATION"
_SEVERITY = rf"(?=(?:{_LEVELS}|{_COMPANIONS}):  )"

_SECOND = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
_SQLSTATE = r"(?=[A-Z]{0,4}\d)[0-9A-Z]{5}"


def _time(fraction: str) -> str:
    # The name of a zone other than UTC stands for several distances from it.
    return (
        rf"(?:(?P<time>{_SECOND})(?>\.(?P<fraction>\d{{1,6}})|{fraction})"
        r" (?:UTC|GMT|(?P<offset>[+-]\d\d(?::?\d\d)?))"
        rf"|(?P<logged_at>{_SECOND}(?:\.\d{{1,6}}|{fraction}) [A-Za-z]{{2,6}}))"
    )


TIME = _time("")


def _name(field: str, characters: str = "[^\n]") -> str:
    """Match a name of a user's, up to the first place where what follows it can be."""
    # PostgreSQL cuts names at 63 bytes.
    return rf"(?:\[unknown\]|(?P<{field}>{characters}{{1,63}}?))??"


ESCAPES: Mapping[str, str] = {
    "a": _name("application_name"),
    # A Kerberos user holds an @: the database follows the last one.
    "u": _name("user"),
    "d": _name("database", "[^@\n]"),
    "r": rf"(?:\[local\]|(?:(?P<client_ip>{IP})|(?P<client_host>[^\n(:]{{1,255}}))"
    rf"(?:\((?P<client_port>{PORT})\))?)?",
    "h": rf"(?:\[local\]|(?P<client_ip>{IP})|(?P<client_host>[^\n(: ]{{1,255}}))?",
    "L": r"(?:\[local\]|[^\n ]{1,255}?)?",
    "b": r"(?P<backend_type>[a-z][a-z -]{1,63}?)?",
    "p": rf"(?P<process_id>{WHOLE})?",
    "P": rf"(?P<leader_pid>{WHOLE})?",
    "t": TIME,
    "m": _time(NOTHING),
    "n": r"(?P<time>\d{10})(?>\.(?P<fraction>\d{1,6})|)",
    "Q": r"(?P<query_id>-?[1-9]\d{0,18}|0)?",
    "i": r"(?P<command_tag>[A-Za-z][A-Za-z ]{0,62}?)?",
    "e": rf"(?P<sql_state_code>{_SQLSTATE})?",
    "c": r"(?P<session_id>[0-9a-f]{1,16}\.[0-9a-f]{1,8})?",
    "l": rf"(?P<session_line_num>{WHOLE})?",
    "s": rf"(?:(?P<session_start_time>{_SECOND}) (?:UTC|GMT)|{_SECOND} [A-Za-z0-9:+-]{{2,6}})?",
    "v": r"(?P<virtual_transaction_id>-?\d{1,10}/\d{1,10})?",
    "x": r"(?:0|(?P<transaction_id>[1-9]\d{0,17}))?",
    "%": "%",
}
"""What each escape of log_line_prefix looks like; %q is not among them."""


def prefix(words: tuple[str, ...]) -> str:
    """Compile a log_line_prefix, as the words in it, to a regular expression.

    A ConfigurationError if it is not one.
    """
    text = " ".join(words)
    pattern = ""
    for literal, padded, escape in re.findall(r"([^%]+)|%(-?\d*)(.|\Z)", text):
        if literal:
            # Words were separated by spaces and commas.
            pattern += re.sub(r"(?:\\ |,)+", "[ ,]+", re.escape(literal))
        elif escape == "q":
            # A background process writes nothing of what follows.
            pattern += "(?:"
        elif escape in ESCAPES:
            pattern += f"[ ]*{ESCAPES[escape]}[ ]*" if padded else ESCAPES[escape]
        else:
            raise ConfigurationError(f"%{escape} is not known in log_line_prefix: {text[:60]!r}")
    if not re.search("%-?\\d*[tmn]", text):
        raise ConfigurationError(f"a log_line_prefix must have %t, %m or %n: {text[:60]!r}")
    # The application's name ends in a colon or touches the severity.
    pattern += ":?)?" * len(re.findall("%q", text))
    return rf"{pattern}[ ]*{_SEVERITY}"


def begins(words: tuple[str, ...]) -> str:
    """Give a regular expression of how lines with this log_line_prefix begin."""
    return unnamed(prefix(words))


def _iso(value: bytes) -> bytes:
    return value.replace(b" ", b"T") + b"Z" if value else value


def _unquoted(value: bytes) -> bytes:
    return value.replace(b'""', b'"')


def _unquoted_twice(value: bytes) -> bytes:
    return value.replace(b'""""', b'"')


def _in_quotes(field: str) -> str:
    """Match a value in quotes, in which a quote is doubled."""
    return rf'"(?P<{field}>[^"]*+(?:""[^"]*+)*+)"'


def _column(field: str, plain: str = r'[^",\n]*+') -> str:
    """Match a column of CSV."""
    return rf"(?:{_in_quotes(field)}|(?P<{field}>{plain}))"


_DURATION = rf"duration: (?P<duration_ms>{NUMBER}) ms"
_PREPARED = (
    r"(?P<phase>parse|bind|execute fetch from|execute) "
    r"(?P<prepared_statement>[^\n]{1,200}?): (?P<statement>.+)"
)
_PLAN = (
    r"plan:\s+Query Text: (?P<statement>.+?)"
    r"(?:\n[\t ]*+Query Parameters: (?P<parameters>[^\n]*+))?"
    r"\n[\t ]*+(?P<plan>[^\n]*\(cost=.*)"
)
_NOT_LOGGED = "<none>|<not logged>|<previously logged>"

_AUDIT = (
    # Most lines: only the statement is in quotes.
    Form(
        pattern=rf"AUDIT: (?P<audit_type>SESSION|OBJECT),(?P<statement_id>{WHOLE}),"
        rf"(?P<substatement_id>{WHOLE}),(?P<audit_class>[A-Z]++),(?P<command>[A-Z ]++),"
        r'(?P<object_type>[A-Z ]++),(?P<object_name>[^,"\n]++),'
        rf"{_in_quotes('statement')},(?:{_NOT_LOGGED})",
        convert={"statement": _unquoted},
    ),
    Form(
        pattern=rf"AUDIT: (?P<audit_type>SESSION|OBJECT),(?P<statement_id>{WHOLE}),"
        rf"(?P<substatement_id>{WHOLE}),(?P<audit_class>[^,\n]*+),{_column('command')},"
        rf"{_column('object_type')},{_column('object_name')},"
        rf"(?:{_NOT_LOGGED}|{_column('statement')}),(?:{_NOT_LOGGED}|{_column('parameters')})"
        rf"(?:,(?P<rows>{WHOLE}))?",
        convert=dict.fromkeys(
            ("command", "object_type", "object_name", "statement", "parameters"), _unquoted
        ),
    ),
)
"""pgaudit: https://github.com/pgaudit/pgaudit#format"""

_PARAMETERS = r"[Pp]arameters: (?P<parameters>.+)"
_SAID = (
    Form(
        pattern=_DURATION,
        inner=(
            Form(pattern=r"  statement: (?P<statement>.+)"),
            Form(pattern=""),
            Form(pattern=f"  {_PREPARED}"),
            # auto_explain, as text; in other formats the statement is in the plan
            Form(pattern=rf"  {_PLAN}"),
            Form(pattern=r"  plan:\s*+(?P<plan>.+)"),
        ),
    ),
    Form(pattern=r"statement: (?P<statement>.+)"),
    Form(pattern=rf"(?=execute){_PREPARED}"),
    *_AUDIT,
)
TEXT = (
    Form(
        pattern=rf"(?P<level>{_LEVELS}):  ",
        inner=(*_SAID, Form(pattern=rf"(?P<sql_state_code>{_SQLSTATE}): ", inner=_SAID)),
    ),
    Form(pattern=r"(?P<level>STATEMENT):  (?P<statement>.+)"),
    Form(pattern=rf"(?P<level>DETAIL):  {_PARAMETERS}"),
    Form(pattern=r"(?P<level>DETAIL):  (?P<detail>.+)"),
    Form(pattern=r"(?P<level>HINT):  (?P<hint>.+)"),
    Form(pattern=r"(?P<level>CONTEXT):  (?P<context>.+)"),
    Form(pattern=r"(?P<level>QUERY):  (?P<internal_query>.+)"),
    Form(pattern=r"(?P<level>LOCATION):  (?P<location>.+)"),
)
"""What stands behind a prefix: a record, or what belongs to the one before it of its process."""


def with_prefix(words: tuple[str, ...]) -> Form:
    """Give the form of lines with this log_line_prefix."""
    return Form(pattern=prefix(words), inner=TEXT, convert={"session_start_time": _iso})


USUAL = (
    Form(
        pattern=rf"(?P<time>{_SECOND}) UTC:"
        rf"(?P<client_ip>\d[0-9.]*+|[0-9a-f]*+:[0-9a-f:.]++)\((?P<client_port>{PORT})\):"
        r"(?P<user>[^:[\]\n]{1,63})@(?P<database>[^@:[\]\n]{1,63}+):"
        rf"\[(?P<process_id>{WHOLE})\]:{_SEVERITY}",
        inner=TEXT,
    ),
    Form(
        pattern=rf"(?P<time>{_SECOND}) UTC::@:\[(?P<process_id>{WHOLE})\]:{_SEVERITY}", inner=TEXT
    ),
)
"""Most lines with the prefix that RDS has of itself: they have no groups that may be empty."""

_CSV_CLIENT = (
    rf'(?:"(?:\[local\]|(?P<client_ip>{IP}):(?P<client_port>{PORT})|(?P<client_ip>{IP})'
    rf'|(?P<client_host>[^":\n]{{1,255}})(?::(?P<client_port>{PORT}))?)")?'
)
_CSV_TEXT = r'[^"]*+(?:""[^"]*+)*+'
_CSV_PREPARED = (
    r"(?P<phase>parse|bind|execute fetch from|execute) "
    rf'(?P<prepared_statement>[^\n"]{{1,200}}?): (?P<statement>{_CSV_TEXT})'
)
_CSV_PLAN = (
    r'plan:\s+Query Text: (?P<statement>(?:[^"]|"")+?)'
    rf'(?:\nQuery Parameters: (?P<parameters>(?:[^"\n]|"")*+))?'
    rf'\n(?P<plan>(?:[^"\n]|"")*?\(cost={_CSV_TEXT})'
)
_CSV_MESSAGE = (
    rf'(?>"{_DURATION}(?:  (?:statement: (?P<statement>{_CSV_TEXT})|{_CSV_PREPARED}|{_CSV_PLAN}'
    rf'|plan:\s*+(?P<plan>{_CSV_TEXT})))?"'
    rf'|"(?:statement: (?P<statement>{_CSV_TEXT})|{_CSV_PREPARED})"|{_column("message")})'
)


def _csv_audit_column(field: str) -> str:
    """Match a column of pgaudit inside of a column in quotes, where all quotes are doubled."""
    return rf'(?:""(?P<{field}>[^"]*+(?:""""[^"]*+)*+)""|(?P<{field}>[^",\n]*+))'


_CSV_AUDIT = (
    rf'"AUDIT: (?P<audit_type>SESSION|OBJECT),(?P<statement_id>{WHOLE}),'
    rf"(?P<substatement_id>{WHOLE}),(?P<audit_class>[A-Z]++),{_csv_audit_column('command')},"
    rf"{_csv_audit_column('object_type')},{_csv_audit_column('object_name')},"
    rf"(?:{_NOT_LOGGED}|{_csv_audit_column('statement')}),"
    rf"(?:{_NOT_LOGGED}|{_csv_audit_column('parameters')})(?:,(?P<rows>{WHOLE}))?\""
)


_CSV_DETAIL = rf'(?:"[Pp]arameters: (?P<parameters>{_CSV_TEXT})"|{_column("detail")})'
_CSV_BEFORE = (
    TIME,
    _column("user"),
    _column("database"),
    ESCAPES["p"],
    _CSV_CLIENT,
    _column("session_id"),
    ESCAPES["l"],
    _column("command_tag"),
    ESCAPES["s"],
    _column("virtual_transaction_id"),
    ESCAPES["x"],
    rf"(?P<level>{_LEVELS})",
    ESCAPES["e"],
    "",
)
_CSV_BEHIND = (
    "",
    _CSV_DETAIL,
    _column("hint"),
    _column("internal_query"),
    rf"(?P<internal_query_pos>{WHOLE})?",
    _column("context"),
    _column("statement"),
    rf"(?P<query_pos>{WHOLE})?",
    _column("location"),
    _column("application_name"),
)
_CSV_END = ",".join(_CSV_BEHIND) + optional(
    f",{_column('backend_type')}" + optional(f",{ESCAPES['P']},{ESCAPES['Q']}")
)
CSV = Form(
    pattern=",".join(_CSV_BEFORE),
    inner=(
        Form(
            pattern=_CSV_AUDIT + _CSV_END,
            convert=dict.fromkeys(
                ("command", "object_type", "object_name", "statement", "parameters"),
                _unquoted_twice,
            ),
        ),
        Form(pattern=_CSV_MESSAGE + _CSV_END),
    ),
    convert={
        **dict.fromkeys(
            (
                "user",
                "database",
                "command_tag",
                "statement",
                "parameters",
                "plan",
                "message",
                "detail",
                "hint",
                "internal_query",
                "context",
                "location",
                "application_name",
            ),
            _unquoted,
        ),
        "session_start_time": _iso,
    },
)
"""A line of csvlog: 23 columns, since version 13 24, since version 14 26."""

JSON = JsonForm(
    whole="jsonlog",
    when={"error_severity": ".+"},
    members=(
        ("timestamp", "time"),
        ("user", "user"),
        ("dbname", "database"),
        ("pid", "process_id"),
        ("remote_host", "client_ip"),
        ("remote_port", "client_port"),
        ("session_id", "session_id"),
        ("line_num", "session_line_num"),
        ("ps", "command_tag"),
        ("vxid", "virtual_transaction_id"),
        ("txid", "transaction_id"),
        ("error_severity", "level"),
        ("state_code", "sql_state_code"),
        ("message", "message"),
        ("detail", "detail"),
        ("hint", "hint"),
        ("internal_query", "internal_query"),
        ("internal_position", "internal_query_pos"),
        ("context", "context"),
        ("statement", "statement"),
        ("cursor_position", "query_pos"),
        ("application_name", "application_name"),
        ("backend_type", "backend_type"),
        ("leader_pid", "leader_pid"),
        ("query_id", "query_id"),
    ),
    texts={
        "message": _SAID,
        "detail": (Form(pattern=_PARAMETERS),),
    },
)
"""A line of jsonlog: https://www.postgresql.org/docs/current/runtime-config-logging.html"""
