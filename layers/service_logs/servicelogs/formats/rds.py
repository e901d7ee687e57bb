"""Logs of RDS and Aurora databases and of RDS Proxy, as they come to CloudWatch Logs."""

from servicelogs.formats import rds_mysql as mysql
from servicelogs.formats import rds_postgresql as postgresql
from servicelogs.parsing.fields import Field
from servicelogs.parsing.format import Summary
from servicelogs.parsing.messages.format import Form, Inside, Kind, MessageFormat

_INSTANCE = r"(?P<instance>[A-Za-z][A-Za-z0-9-]*)"
"""Streams are called as the instance, with a number or the file's name behind it."""
_DATABASE = (
    # Behind a dot follows the node of SQL Server.
    r"/aws/rds/(?:instance/(?P<instance>[^/.]+)(?:\.[^/]+)?"
    r"|cluster/(?P<cluster>[^/]+)(?:/(?P<shard_group>[^/]+))?)/"
)


def _kind(
    name: str,
    *,
    engine: str = "",
    forms: tuple[Form, ...] = (),
    begins: str = "",
    inside: tuple[Inside, ...] = (),
    unfinished: str = "",
) -> Kind:
    return Kind(
        name=name,
        groups=f"{_DATABASE}{name}",
        streams=_INSTANCE,
        constants={"engine": engine} if engine else {},
        forms=forms,
        begins=begins,
        inside=inside,
        unfinished=unfinished,
    )


def _postgresql(forms: tuple[Form, ...], begins: str = "") -> Kind:
    return Kind(
        name="postgresql",
        groups=f"{_DATABASE}postgresql",
        streams=_INSTANCE,
        constants={"engine": "postgresql"},
        forms=forms,
        json_forms=(postgresql.JSON,),
        begins=rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d|\{{{begins}",
        # The server begins each line of a record but the first with it.
        continues=r"\t",
    )


_LINES = (
    *postgresql.USUAL,
    *(postgresql.with_prefix((prefix,)) for prefix in postgresql.PREFIXES),
    postgresql.CSV,
)
_KINDS = (
    _kind("audit", forms=mysql.AUDIT, begins=mysql.AUDIT_BEGINS, inside=mysql.AUDIT_INSIDE),
    _kind(
        "slowquery",
        engine="mysql",
        forms=mysql.SLOW,
        begins=mysql.SLOW_BEGINS,
        inside=mysql.SLOW_INSIDE,
        unfinished=mysql.SLOW_UNFINISHED,
    ),
    _kind(
        "general",
        engine="mysql",
        forms=mysql.GENERAL,
        begins=mysql.GENERAL_BEGINS,
        inside=mysql.GENERAL_INSIDE,
    ),
    Kind(
        name="proxy",
        groups=r"/aws/rds/proxy/(?P<proxy>[^/]+)",
        forms=(
            Form(
                pattern=r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?>\.(?P<fraction>\d{1,6})|)Z? "
                r"\[(?P<level>[A-Z]+)\] (?>\[proxyEndpoint=(?P<proxy_endpoint>[^\]\n]*+)\] ?|)"
                r"(?>\[clientConnection=(?P<client_connection>\d++)\] ?|)"
                r"(?>\[dbConnection=(?P<db_connection>\d++)\] ?|)(?P<message>.*)"
            ),
        ),
        begins=r"\d{4}-\d\d-\d\dT",
    ),
    _kind(
        "iam-db-auth-error",
        forms=(
            Form(
                pattern=r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)[,.](?P<fraction>\d{1,6}) "
                r"\[(?P<level>[A-Z]+)\] (?P<message>.*)"
            ),
        ),
        begins=r"\d{4}-\d\d-\d\dT",
    ),
    _kind("error", forms=mysql.ERROR, begins=mysql.ERROR_BEGINS),
    _kind("upgrade", engine="postgresql"),
    _kind("instance"),
    # Of other engines: Oracle's alert and listener, SQL Server's agent, Db2's notify …
    Kind(name="other", groups=f"{_DATABASE}(?P<kind>[^/]+)", streams=_INSTANCE),
)


def _with_prefix(words: tuple[str, ...]) -> tuple[Kind, ...]:
    """Read PostgreSQL's lines with this log_line_prefix too."""
    lines = (postgresql.with_prefix(words), *_LINES)
    return (_postgresql(lines, f"|{postgresql.begins(words)}"), *_KINDS)


FORMAT = MessageFormat(
    name="rds",
    title="RDS and Aurora logs",
    page="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Procedural.UploadtoCloudWatch.html",
    keys=(),
    service_principal="",
    log_groups=r"/aws/rds/(?:instance|cluster|proxy)/.+",
    starts=(
        # PostgreSQL
        r"\d{4}-\d\d-\d\d[ ]\d\d:\d\d:\d\d(?:\.\d+)?[ ][A-Za-z0-9:+-]{2,6}:"
        r"[^\n@]{0,300}@[^\n]{0,200}?:\[\d+\]:"
        # PostgreSQL's csvlog: user, database, process, client, session and its line
        r"|\d{4}-\d\d-\d\d[ ]\d\d:\d\d:\d\d(?:\.\d+)?[ ][A-Za-z0-9:+-]{2,6}"
        r'(?:,(?:"[^"\n]{0,200}")?){2},\d*,(?:"[^"\n]{0,300}")?,[0-9a-f]{1,16}\.[0-9a-f]{1,8},\d+,'
        # MySQL and MariaDB: error and general logs, slow queries, audit
        r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(?:Z|[+-]\d\d:\d\d)"
        r"(?:[ ]\d+[ ]\[[A-Z][a-z]+\][ ]|\t[ ]*\d+[ ][A-Z])"
        r"|\d{4}-\d\d-\d\d[ ][ \d]\d:\d\d:\d\d[ ]\d+[ ]\[[A-Z][a-z]+\][ ]"
        r"|\#[ ](?:Time:[ ][^\n]*\n\#[ ])?User@Host:[ ]"
        r"|(?:\d{8}[ ]\d\d:\d\d:\d\d|\d{16}),(?:[^,\n]*,){3}\d+,\d+,[A-Z_]+,"
        # RDS Proxy
        r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+Z)?[ ]\[[A-Z]+\][ ]"
        r"\[(?:proxyEndpoint|clientConnection|dbConnection)="
    ),
    option="PostgresLogLinePrefix",
    kinds_with=_with_prefix,
    kinds=(_postgresql(_LINES), *_KINDS),
    declared=(
        Field(
            "kind", "keyword", "kind of log: postgresql, error, slowquery, general, audit, proxy, …"
        ),
        Field("engine", "keyword", "postgresql, mysql or mariadb, where group or line say so"),
        Field("instance", "keyword", "database instance"),
        Field("cluster", "keyword", "database cluster"),
        Field("shard_group", "keyword", "shard group of Aurora Limitless"),
        Field("proxy", "keyword", "RDS Proxy"),
        Field(
            "level", "keyword", "severity, as ERROR, LOG, Warning; of PostgreSQL also STATEMENT, …"
        ),
        Field("message", "text", "what the log says, where no other field has it"),
        Field("statement", "text", "SQL"),
        Field("duration_ms", "float", "PostgreSQL: how long it took, in milliseconds"),
        Field("query_time", "float", "slow query log: how long it took, in seconds"),
        Field("lock_time", "float", "slow query log: seconds that it waited for locks"),
        Field("rows_sent", "long", "slow query log: rows sent to the client"),
        Field("rows_examined", "long", "slow query log: rows examined"),
        Field("user", "keyword", "user of the database"),
        Field("priv_user", "keyword", "slow query log: account that its rights are of"),
        Field("database", "keyword", "database or schema"),
        Field("client_ip", "ip", "address of the client"),
        Field("client_host", "keyword", "name of the client's host, where it was resolved"),
        Field("client_port", "integer", "port of the client"),
        Field("process_id", "long", "PostgreSQL: process of the server"),
        Field("session_id", "keyword", "PostgreSQL: session"),
        Field("session_line_num", "long", "PostgreSQL: number of the line in its session"),
        Field("session_start_time", "timestamp", "PostgreSQL: when the session began"),
        Field("logged_at", "keyword", "the time as it is written, where it is not of UTC"),
        Field("application_name", "keyword", "PostgreSQL: application"),
        Field("backend_type", "keyword", "PostgreSQL: kind of process", since="PostgreSQL 13"),
        Field("leader_pid", "long", "PostgreSQL: leader of parallel ones", since="PostgreSQL 14"),
        Field("query_id", "long", "query: PostgreSQL's identifier, or the audit log's number"),
        Field("command_tag", "keyword", "PostgreSQL: command of the session"),
        Field("virtual_transaction_id", "keyword", "PostgreSQL: virtual transaction"),
        Field("transaction_id", "long", "PostgreSQL: transaction, if it has a number"),
        Field("sql_state_code", "keyword", "PostgreSQL: SQLSTATE"),
        Field("detail", "text", "PostgreSQL: DETAIL of an error"),
        Field("hint", "text", "PostgreSQL: HINT"),
        Field("context", "text", "PostgreSQL: CONTEXT"),
        Field("internal_query", "text", "PostgreSQL: QUERY that an error is inside of"),
        Field("internal_query_pos", "long", "PostgreSQL: where in it"),
        Field("query_pos", "long", "PostgreSQL: where in the statement"),
        Field("location", "keyword", "PostgreSQL: place in the server's source"),
        Field("phase", "keyword", "PostgreSQL: parse, bind, execute, execute fetch from"),
        Field("prepared_statement", "keyword", "PostgreSQL: name of the prepared statement"),
        Field("parameters", "text", "PostgreSQL: parameters of a statement"),
        Field("plan", "text", "PostgreSQL: auto_explain's plan"),
        Field("audit_type", "keyword", "pgaudit: SESSION or OBJECT"),
        Field("statement_id", "long", "pgaudit: number of the statement in its session"),
        Field("substatement_id", "long", "pgaudit: number inside of the statement"),
        Field("audit_class", "keyword", "pgaudit: READ, WRITE, FUNCTION, ROLE, DDL, MISC"),
        Field("command", "keyword", "command: pgaudit's (SELECT), the general log's (Query)"),
        Field("object_type", "keyword", "pgaudit: TABLE, INDEX, VIEW, …"),
        Field("object_name", "keyword", "pgaudit: object, with its schema"),
        Field("rows", "long", "pgaudit: rows that were retrieved or changed"),
        Field("jsonlog", "flat_object", "PostgreSQL: the line, where it is JSON"),
        Field("thread_id", "long", "MySQL: connection's thread"),
        Field(
            "error_code", "keyword", "MySQL: code of the error log, as MY-010055", since="MySQL 8.0"
        ),
        Field("subsystem", "keyword", "MySQL: Server, InnoDB, Repl, …", since="MySQL 8.0"),
        Field("server_host", "keyword", "audit log: host of the server"),
        Field("connection_id", "long", "audit log: connection"),
        Field("operation", "keyword", "audit log: CONNECT, QUERY, READ, WRITE, …"),
        Field("object", "keyword", "audit log: table; of PROXY_CONNECT the account"),
        Field("return_code", "integer", "audit log: the server's error, or 0"),
        Field("connection_type", "keyword", "TCP/IP, SSL/TLS, Socket, …"),
        Field("errno", "long", "slow query log: error of the statement", since="log_slow_extra"),
        Field("killed", "long", "slow query log: why it was ended", since="log_slow_extra"),
        Field("bytes_received", "long", "slow query log: bytes", since="log_slow_extra"),
        Field("bytes_sent", "long", "slow query log: bytes"),
        *(
            Field(name, "long", f"slow query log: {name.capitalize()}", since="log_slow_extra")
            for name in (
                "read_first",
                "read_last",
                "read_key",
                "read_next",
                "read_prev",
                "read_rnd",
                "read_rnd_next",
                "sort_merge_passes",
                "sort_range_count",
                "sort_rows",
                "sort_scan_count",
                "created_tmp_disk_tables",
                "created_tmp_tables",
            )
        ),
        Field("start_time", "timestamp", "slow query log: when it began", since="log_slow_extra"),
        Field("end_time", "timestamp", "slow query log: when it ended", since="log_slow_extra"),
        Field("qc_hit", "keyword", "MariaDB: whether the query cache had it"),
        Field("rows_affected", "long", "MariaDB: rows changed"),
        *(
            Field(name, "long", f"MariaDB: {name.capitalize()}")
            for name in (
                "pages_accessed",
                "pages_read",
                "pages_prefetched",
                "pages_updated",
                "old_rows_read",
                "undo_rows_read",
            )
        ),
        Field("pages_read_time", "float", "MariaDB: milliseconds of reading pages"),
        Field("engine_time", "float", "MariaDB: milliseconds in the storage engine"),
        *(
            Field(name, "long", f"MariaDB: {name.capitalize()}")
            for name in ("tmp_tables", "tmp_disk_tables", "tmp_table_sizes", "merge_passes")
        ),
        *(
            Field(name, "keyword", f"MariaDB: {name.capitalize()}, Yes or No")
            for name in (
                "full_scan",
                "full_join",
                "tmp_table",
                "tmp_table_on_disk",
                "filesort",
                "filesort_on_disk",
                "priority_queue",
            )
        ),
        Field("stored_routine", "keyword", "MariaDB: stored routine that the statement is part of"),
        Field("explain", "text", "MariaDB: the statement's plan"),
        Field("proxy_endpoint", "keyword", "RDS Proxy: endpoint"),
        Field("client_connection", "keyword", "RDS Proxy: number of the client's connection"),
        Field("db_connection", "keyword", "RDS Proxy: number of the connection to the database"),
    ),
    common={
        "log.level": "level",
        "user.name": "user",
        "source.ip": "client_ip",
        "source.port": "client_port",
        "source.domain": "client_host",
        "process.pid": "process_id",
        "db.system.name": "engine",
        "db.namespace": "database",
        "db.query.text": "statement",
        "db.response.status_code": "sql_state_code",
        "error.code": "error_code",
        "event.action": "operation",
        "cloud.resource_id": "instance",
    },
    personal={
        "priv_user": "names and ids",
        "object": "names and ids",
        "application_name": "what the client calls itself",
    },
    summary=Summary(
        by=("engine", "kind", "cluster", "instance", "level"),
        sums=("duration_ms", "query_time", "lock_time", "rows_sent", "rows_examined"),
    ),
)
