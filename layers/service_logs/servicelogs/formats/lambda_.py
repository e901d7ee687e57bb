"""Logs of Lambda functions, as they come to CloudWatch Logs: of the platform and of applications.

Each log event is a record. The platform's lines and its JSON events become the same fields; so do
the lines of the managed runtimes, as text and as JSON. An application's JSON lies under one field.
"""

import re

from servicelogs.parsing.fields import Field
from servicelogs.parsing.format import Summary
from servicelogs.parsing.messages.format import KIND, Form, JsonForm, Kind, MessageFormat
from servicelogs.parsing.messages.patterns import NUMBER, optional

_ID = "[0-9a-f-]{36}"
_SECOND = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
_TIME = rf"(?P<time>{_SECOND})\.(?P<fraction>\d{{1,9}})Z"
_REQUEST = f"RequestId: (?P<request_id>{_ID})"
_BLANK = r"[ \t\r\n]*+"
_STATUS = optional(r"\tStatus: (?P<status>[a-z_]+)") + optional(
    r"\tError Type: (?P<error_type>[\w.]+)"
)
_RUNTIME = r"Runtime Version: (?P<runtime_version>[^\t\n]*+)" + optional(
    r"\t *+Runtime Version ARN: (?P<runtime_version_arn>[^\t\n]*+)"
)
_XRAY = (
    r"XRAY TraceId: (?P<trace_id>[^\t\n]++)"
    + optional(r"\tSegmentId: (?P<segment_id>[0-9a-f]+)")
    + optional(r"\tSampled: (?P<sampled>true|false)")
)


def _of_platform(kind: str, pattern: str, **constants: str) -> Form:
    """Declare a line of the platform's; what follows that is not known is its message."""
    return Form(
        pattern=pattern,
        inner=(Form(pattern=_BLANK),),
        constants={KIND: f"platform.{kind}", **constants},
    )


def _measured(name: str, field: str, unit: str = "ms") -> str:
    return optional(rf"\t{name}: (?P<{field}>{NUMBER}) {unit}")


_REPORT = (
    f"REPORT {_REQUEST}"
    + _measured("Duration", "duration_ms")
    + _measured("Billed Duration", "billed_duration_ms")
    + _measured("Memory Size", "memory_size_mb", "MB")
    + _measured("Max Memory Used", "max_memory_used_mb", "MB")
    + _measured("Init Duration", "init_duration_ms")
    + _measured("Restore Duration", "restore_duration_ms")
    + _measured("Billed Restore Duration", "billed_restore_duration_ms")
    + _STATUS
    + optional(_BLANK + _XRAY)
    + optional(_STATUS)
)
_PLATFORM = (
    _of_platform("start", rf"START {_REQUEST}" + optional(r" Version: (?P<version>[^\s]++)")),
    _of_platform("end", f"END {_REQUEST}"),
    _of_platform("report", _REPORT),
    _of_platform("initStart", f"INIT_START {_RUNTIME}"),
    _of_platform(
        "initReport",
        rf"INIT_REPORT Init Duration: (?P<init_duration_ms>{NUMBER}) ms"
        + optional(r"\tPhase: (?P<phase>[a-z-]+)")
        + _STATUS,
    ),
    _of_platform("restoreStart", f"RESTORE_START {_RUNTIME}"),
    _of_platform(
        "restoreReport",
        rf"RESTORE_REPORT Restore Duration: (?P<restore_duration_ms>{NUMBER}) ms{_STATUS}",
    ),
    _of_platform(
        "extension",
        r"EXTENSION\tName: (?P<extension>[^\t\n]*+)\tState: (?P<state>[^\t\n]*+)"
        + optional(r"\tEvents: \[(?P<events>[^\]\n]*+)\]")
        + optional(r"\tError Type: (?P<error_type>[\w.]+)"),
    ),
    _of_platform(
        "telemetrySubscription",
        r"(?:TELEMETRY|LOGS)\tName: (?P<extension>[^\t\n]*+)\tState: (?P<state>[^\t\n]*+)"
        + optional(r"\tTypes: \[(?P<events>[^\]\n]*+)\]")
        + optional(r"\tError Type: (?P<error_type>[\w.]+)"),
    ),
    Form(
        pattern=rf"{_REQUEST} (?>Error: |(?=Process exited ))(?P<message>[^\r\n]++)"
        + optional(r"[\r\n]++(?P<error_type>\w++(?:\.\w++)++)")
        + _BLANK,
        constants={KIND: "platform.fault", "status": "error"},
    ),
    # The second line of a REPORT, where lines came apart.
    _of_platform("report", _XRAY),
)

_LINE_END = r"[\r\n]++"
_ERROR = (
    r"(?P<error_type>(?:[A-Za-z_$][\w$]*+\.)++[\w$]++|[A-Z][\w$]*?(?:Error|Exception))"
    r"(?>: (?P<error_message>[^\r\n]*+)|:?+)"
)
_STACK = r"[ \t]++at "
_OBJECT = Form(pattern=r"(?P<json_object>\{.*)")
"""An application's JSON behind a runtime's text."""
_UNHANDLED = (
    # Node.js, Ruby
    Form(
        pattern=r"(?P<message>(?:Invoke Error|Uncaught Exception|Unhandled Promise Rejection"
        r"|Error raised from handler method)[ \t\r\n]*+(?P<json_object>\{.*))"
    ),
    # Python
    Form(
        pattern=rf"(?P<message>(?P<error_type>[A-Za-z_][\w.]*+)"
        rf"(?>: (?P<error_message>[^\r\n]*+(?:{_LINE_END}(?!Traceback )[^\r\n]*+)*+)|){_LINE_END}"
        r"Traceback \(most recent call last\):.*)"
    ),
    # Java, .NET, and what Node.js prints of an error
    Form(
        pattern=rf"(?P<message>{_ERROR}{_LINE_END}"
        rf"(?>(?:(?!{_STACK})[^\r\n]++{_LINE_END}){{0,20}}){_STACK}.*)"
    ),
    # Java: what was being done, and then the error
    Form(pattern=rf"(?P<message>[^\r\n]++{_LINE_END}{_ERROR}{_LINE_END}{_STACK}.*)"),
)
_TEXTS = (_OBJECT, *_UNHANDLED)


def _of_runtime(pattern: str, *texts: Form) -> Form:
    """Declare how a runtime begins a text, and what is known of the rest."""
    return Form(pattern=pattern, inner=(*texts, *_TEXTS))


def _milliseconds(digits: bytes) -> bytes:
    """Fill up what Python writes as a number: `.7` is seven milliseconds."""
    return digits.zfill(3)


_LEVEL = "(?P<level>TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|CRITICAL)"
_PYTHON = rf"\[(?P<level>[^\]\r\n]{{1,40}})\]\t(?P<time>{_SECOND})\."
_LEVEL_OF_NET = "trce|dbug|info|warn|fail|crit"
_APPLICATION = (
    # Node.js; .NET, whose level may be missing
    _of_runtime(
        rf"{_TIME}\t(?>(?P<request_id>{_ID})|undefined|)\t"
        rf"(?P<level>TRACE|DEBUG|INFO|WARN|ERROR|FATAL|{_LEVEL_OF_NET})\t"
    ),
    _of_runtime(rf"{_TIME}\t(?P<request_id>{_ID})\t"),
    # The platform, of old functions: new ones have Status and Error Type in REPORT instead
    Form(
        pattern=rf"{_TIME} (?P<request_id>{_ID}) (?P<message>Task timed out after [\d.]+ seconds)"
        + _BLANK,
        constants={KIND: "platform.fault", "status": "timeout"},
    ),
    # Python
    _of_runtime(rf"{_PYTHON}(?P<fraction>\d{{3}})Z\t(?>(?P<request_id>{_ID})|)\t"),
    Form(
        pattern=rf"{_PYTHON}(?P<fraction>\d{{1,2}})Z\t(?>(?P<request_id>{_ID})|)\t",
        inner=_TEXTS,
        convert={"fraction": _milliseconds},
    ),
    # Python's unhandled errors, Java's logger
    _of_runtime(rf"\[{_LEVEL}\] "),
    # Java with AWS's layout for Log4j
    _of_runtime(
        r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?>[.,](?P<fraction>\d{3})|)"
        rf" (?P<request_id>{_ID}) (?P<level>[A-Z]+) ++",
        Form(pattern=r"(?P<logger>[\w.$]++)(?::\d++)? - (?P<message>.*)"),
    ),
    # Ruby
    _of_runtime(
        rf"[A-Z], \[(?P<time>{_SECOND})\.(?P<fraction>\d{{6}}) #\d++\] ++(?P<level>[A-Z]+) "
        rf"(?>(?P<request_id>{_ID}) |)-- (?>(?P<logger>[^:\r\n]++)|): "
    ),
    *_UNHANDLED,
)

_root = re.compile(rb"Root=([0-9A-Za-z-]+)").search


def _trace(value: bytes) -> bytes:
    """Take the trace out of what X-Ray's header says: `Root=1-…;Parent=…;Sampled=1`."""
    root = _root(value)
    return b'"%b"' % root[1] if root else value


_OF_PLATFORM = (
    ("time", "time"),
    ("type", KIND),
    ("record.requestId", "request_id"),
    ("record.version", "version"),
    ("record.functionVersion", "version"),
    ("record.functionName", "function"),
    ("record.status", "status"),
    ("record.errorType", "error_type"),
    ("record.phase", "phase"),
    ("record.initializationType", "initialization_type"),
    ("record.runtimeVersion", "runtime_version"),
    ("record.runtimeVersionArn", "runtime_version_arn"),
    ("record.tracing.value", "trace_id"),
    ("record.tenantId", "tenant_id"),
    ("record.name", "extension"),
    ("record.state", "state"),
)


def _platform_events(types: str, *measured: tuple[str, str]) -> JsonForm:
    """Declare events of the platform's, and what their metrics become."""
    return JsonForm(
        whole="json",
        when={"type": rf"platform\.{types}"},
        members=(
            *_OF_PLATFORM,
            *((f"record.metrics.{member}", field) for member, field in measured),
        ),
        convert={"trace_id": _trace},
    )


_JSON = (
    _platform_events("initReport", ("durationMs", "init_duration_ms")),
    _platform_events("restoreReport", ("durationMs", "restore_duration_ms")),
    _platform_events(
        r"\w+",
        ("durationMs", "duration_ms"),
        ("billedDurationMs", "billed_duration_ms"),
        ("memorySizeMB", "memory_size_mb"),
        ("maxMemoryUsedMB", "max_memory_used_mb"),
        ("initDurationMs", "init_duration_ms"),
        ("restoreDurationMs", "restore_duration_ms"),
        ("billedRestoreDurationMs", "billed_restore_duration_ms"),
    ),
    JsonForm(
        whole="json",
        members=(
            ("timestamp", "time"),
            ("level", "level"),
            ("log_level", "level"),
            ("message", "message"),
            ("msg", "message"),
            # The surest first: an application's own request may have an id too.
            ("function_request_id", "request_id"),
            ("AWSRequestId", "request_id"),
            ("aws_request_id", "request_id"),
            ("requestId", "request_id"),
            ("request_id", "request_id"),
            ("xray_trace_id", "trace_id"),
            ("traceId", "trace_id"),
            ("trace_id", "trace_id"),
            ("logger", "logger"),
            ("errorType", "error_type"),
            ("errorMessage", "error_message"),
            ("executionArn", "execution_arn"),
            ("operationId", "operation_id"),
            ("operationName", "operation_name"),
            ("attempt", "attempt"),
            ("tenantId", "tenant_id"),
        ),
        convert={"trace_id": _trace},
        aside={"level": "runtime_level"},
    ),
)

_STREAM = r"\d{4}/\d\d/\d\d/(?P<function>[^\[\]/]+)?\[(?P<version>[^\[\]]+)\]\[?(?P<instance>\w+)"


def _functions(groups: str) -> Kind:
    """Declare the logs of functions in some log groups."""
    return Kind(
        name="function",
        groups=groups,
        streams=_STREAM,
        forms=(*_PLATFORM, *_APPLICATION),
        json_forms=_JSON,
    )


FORMAT = MessageFormat(
    name="lambda",
    title="Lambda function logs",
    page="https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html",
    keys=(),
    service_principal="",
    log_groups="/aws/lambda/.+",
    starts=(
        rf"(?:START|END|REPORT)[ ]RequestId:[ ]{_ID}\b"
        r"|(?:INIT|RESTORE)_START[ ]Runtime[ ]Version:[ ]"
        r"|(?:INIT_REPORT[ ]Init|RESTORE_REPORT[ ]Restore)[ ]Duration:[ ]"
        r"|(?:EXTENSION|TELEMETRY|LOGS)\tName:[ ]"
        rf"|{_SECOND}\.\d{{3}}Z\t(?:{_ID}|undefined)\t"
        rf"|\[[A-Z]+\]\t{_SECOND}\.\d{{1,3}}Z\t(?:{_ID})?\t"
        rf'|\{{"time":"{_SECOND}\.\d{{3}}Z","type":"platform\.\w+","record":'
    ),
    kinds=(
        # Functions at CloudFront's edges log in the Region that ran them, under this name.
        _functions(r"/aws/lambda/us-east-1\.(?P<function>.+)"),
        _functions("/aws/lambda/(?P<function>.+)"),
        # A log group of the user's own, which several functions may share.
        _functions(".*"),
    ),
    declared=(
        Field(
            "kind",
            "keyword",
            "platform.start, platform.report, … (of text too); function: what the function or an "
            "extension logs; platform.fault: that it timed out or ended",
        ),
        Field("function", "keyword", "name of the function"),
        Field("version", "keyword", "its version, or $LATEST"),
        Field("instance", "keyword", "execution environment: the end of the log stream's name"),
        Field("level", "keyword", "level, as the runtime or the logger writes it"),
        Field("message", "text", "what the log says, where no other field has it"),
        Field("request_id", "keyword", "request; a retry has the same"),
        Field("trace_id", "keyword", "trace, of X-Ray its root"),
        Field("segment_id", "keyword", "REPORT: segment in X-Ray"),
        Field("sampled", "keyword", "REPORT: true if X-Ray has the trace"),
        Field("logger", "keyword", "name of the logger"),
        Field("error_type", "keyword", "class of an error, or the platform's name for it"),
        Field("error_message", "text", "what the error says"),
        Field("status", "keyword", "platform: success, failure, error, timeout"),
        Field("duration_ms", "float", "report: how long the function ran, in milliseconds"),
        Field("billed_duration_ms", "float", "report: what is paid for"),
        Field("memory_size_mb", "long", "report: memory that the function has"),
        Field("max_memory_used_mb", "long", "report: the most that was used"),
        Field("init_duration_ms", "float", "report, initReport: a cold start"),
        Field("restore_duration_ms", "float", "report, restoreReport: restoring a snapshot"),
        Field("billed_restore_duration_ms", "float", "report: what of it is paid for"),
        Field("phase", "keyword", "initStart, initReport: init, invoke or snap-start"),
        Field("initialization_type", "keyword", "JSON: on-demand, provisioned-concurrency, …"),
        Field("runtime_version", "keyword", "initStart, restoreStart: the runtime's version"),
        Field("runtime_version_arn", "keyword", "initStart, restoreStart: its ARN"),
        Field("extension", "keyword", "extension, telemetrySubscription: the extension"),
        Field("state", "keyword", "extension, telemetrySubscription: Ready, Subscribed, …"),
        Field("events", "keyword", "text: the events or types that the extension asked for"),
        Field("execution_arn", "keyword", "durable function: execution", since="2025-12"),
        Field("operation_id", "keyword", "durable function: operation", since="2025-12"),
        Field("operation_name", "keyword", "durable function: its name", since="2025-12"),
        Field("attempt", "integer", "durable function: attempt", since="2025-12"),
        Field("tenant_id", "keyword", "tenant, where functions are isolated by them"),
        Field("runtime_level", "keyword", "level before an application's JSON, which has its own"),
        Field("json", "flat_object", "the JSON object that the message is, or ends in"),
    ),
    common={
        "log.level": "level",
        "log.logger": "logger",
        "trace.id": "trace_id",
        "error.type": "error_type",
        "error.message": "error_message",
        "faas.name": "function",
        "faas.version": "version",
        "faas.instance": "instance",
        "faas.execution": "request_id",
        "faas.invocation_id": "request_id",
    },
    personal={"tenant_id": "names and ids"},
    summary=Summary(
        by=("function", "kind", "level", "error_type", "status"),
        sums=("duration_ms", "billed_duration_ms", "init_duration_ms", "max_memory_used_mb"),
    ),
)
