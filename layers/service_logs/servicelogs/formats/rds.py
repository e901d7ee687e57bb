"""Logs of RDS and Aurora databases, as CloudWatch Logs has them."""

from servicelogs.parsing.fields import Field
from servicelogs.parsing.messages.format import Form, Kind, MessageFormat

_INSTANCE = r"(?P<instance>[A-Za-z][A-Za-z0-9-]*)"
_OF_DATABASES = r"/aws/rds/(?:instance|cluster/(?P<cluster>[^/]+)|instance/(?P<instance>[^/]+))/"

FORMAT = MessageFormat(
    name="rds",
    title="RDS and Aurora logs",
    page="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Procedural.UploadtoCloudWatch.html",
    keys=(),
    service_principal="logs.amazonaws.com",
    log_groups=r"/aws/rds/(?:instance|cluster|proxy)/.+",
    declared=(
        Field("kind", "keyword", "kind of log"),
        Field("engine", "keyword", "database engine"),
        Field("instance", "keyword", "database instance"),
        Field("cluster", "keyword", "database cluster"),
        Field("process_id", "integer", "server process"),
        Field("level", "keyword", "severity"),
        Field("user", "keyword", "user"),
        Field("database", "keyword", "database"),
        Field("duration_ms", "float", "how long it took"),
        Field("statement", "text", "SQL"),
        Field("message", "text", "what the log says"),
    ),
    kinds=(
        Kind(
            name="postgresql",
            groups=rf"{_OF_DATABASES}postgresql",
            streams=_INSTANCE,
            constants={"engine": "postgresql"},
            begins=r"\d{4}-\d\d-\d\d \d\d:",
            continues=r"\t",
            forms=(
                Form(
                    pattern=r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC:[^:]*+:"
                    r"(?P<user>[^@]*+)@(?P<database>[^:]*+):\[(?P<process_id>[1-9]\d{0,8})\]:"
                    r"(?P<level>[A-Z0-9]++):  ",
                    inner=(
                        Form(
                            pattern=r"duration: (?P<duration_ms>\d{1,9}\.\d{1,3}) ms  "
                            r"statement: (?P<statement>.+)"
                        ),
                    ),
                ),
            ),
        ),
    ),
)
