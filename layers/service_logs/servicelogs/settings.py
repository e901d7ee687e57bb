"""The deployment's settings by concern, read from the environment and checked where they are read.

A function reads the concerns that it needs: one that indexes nothing needs no search engine.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, get_args, get_type_hints

from servicelogs import formats
from servicelogs.errors import ConfigurationError
from servicelogs.parsing.format import MOST_DAYS, PERIODS, Period

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Auth = Literal["sigv4", "basic", "none"]
EngineType = Literal["opensearch", "serverless-search", "serverless-timeseries"]


type _Reader = Callable[[str, str], object]


def _text(pattern: str, must_be: str) -> Callable[[str, str], str]:
    def read(name: str, value: str) -> str:
        if not re.fullmatch(pattern, value, re.ASCII):
            raise ConfigurationError(f"{name} must be {must_be}, not {value[:200]!r}")
        return value

    return read


def _several(read_one: Callable[[str, str], str]) -> Callable[[str, str], tuple[str, ...]]:
    def read(name: str, value: str) -> tuple[str, ...]:
        return tuple(read_one(name, part) for part in value.split(","))

    return read


def _one_of(choices: tuple[str, ...]) -> _Reader:
    def read(name: str, value: str) -> str:
        if value not in choices:
            raise ConfigurationError(
                f"{name} must be one of {', '.join(choices)}, not {value[:200]!r}"
            )
        return value

    return read


def _number(least: int, most: int) -> Callable[[str, str], int]:
    def read(name: str, value: str) -> int:
        number = int(value) if re.fullmatch(r"\d{1,9}", value) else -1
        if not least <= number <= most:
            raise ConfigurationError(
                f"{name} must be a whole number from {least} to {most}, not {value[:200]!r}"
            )
        return number

    return read


def _switch(name: str, value: str) -> bool:
    return _one_of(("true", "false"))(name, value) == "true"


def _endpoint(name: str, value: str) -> str:
    # A domain's own attribute (DomainEndpoint) is a bare host name.
    address = value if "://" in value else f"https://{value}"
    if not re.fullmatch(r"https?://[^/\s?#@]+/?", address):
        raise ConfigurationError(
            f"{name} must be https://host or http://host:port, not {value[:200]!r}"
        )
    return address.rstrip("/")


def _address(name: str, value: str) -> str:
    address = value if "://" in value else f"https://{value}"
    if not re.fullmatch(r"https?://[^\s?#@]+", address):
        raise ConfigurationError(
            f"{name} must be an address, as https://host/_dashboards, not {value[:200]!r}"
        )
    # An engine's address may end in a slash before what is added to it.
    return re.sub("(?<!:)/{2,}", "/", address).rstrip("/")


def _log_type(name: str, value: str) -> str:
    if value not in formats.NAMES:
        raise ConfigurationError(
            f"{name} must be among {', '.join(formats.NAMES)}, not {value[:200]!r}"
        )
    return value


def _log_types(name: str, value: str) -> tuple[str, ...]:
    names = [part.strip() for part in value.split(",") if part.strip()]
    if not names:
        raise ConfigurationError(f"{name} must be all, or names of log types, as alb,waf")
    if "all" in names:
        return formats.NAMES
    return tuple(_log_type(name, part) for part in dict.fromkeys(names))


def _log_type_prefixes(name: str, value: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in filter(None, map(str.strip, value.split(","))):
        # A prefix may hold = itself, where keys are laid out as for Hive.
        prefix, _, log_type = pair.rpartition("=")
        if not prefix:
            raise ConfigurationError(
                f"{name} must be prefix=type pairs separated by commas, as firehose/waf/=waf, "
                f"not {pair[:200]!r}"
            )
        if found.setdefault(prefix, _log_type(name, log_type)) != log_type:
            raise ConfigurationError(f"{name} must give {prefix!r} one type, not several")
    return found


def field_names(text: str) -> tuple[str, ...]:
    """Split names of fields, as AWS writes them: `date c-ip`, `date,c-ip`, `${srcaddr} ${end}`.

    Two lists may have a bar between them: `date c-ip | date`.
    """
    text = re.sub(r"\$\{([^${}]*)\}", r" \1 ", text)
    return tuple(text.replace(",", " ").replace("|", " | ").split())


def _format_options(name: str, value: str) -> dict[str, tuple[str, ...]]:
    options: dict[str, tuple[str, ...]] = {}
    for pair in filter(None, map(str.strip, value.split(";"))):
        option, equals, names = pair.partition("=")
        if not equals:
            raise ConfigurationError(
                f"{name} must be option=names pairs separated by semicolons, not {pair[:200]!r}"
            )
        if fields := field_names(names):
            _check_option(name, option, fields)
            if options.setdefault(option, fields) != fields:
                raise ConfigurationError(
                    f"{name} must give {option} one list of names, not several"
                )
    return options


def _check_option(name: str, option: str, fields: tuple[str, ...]) -> None:
    """Refuse an option that no format has, or whose fields none that has it can have."""
    having = [one for one in map(formats.get, formats.NAMES) if one.option == option]
    if not having:
        raise ConfigurationError(f"{name} must be options of log types, not {option[:200]!r}")
    refusals = []
    for log_format in having:
        try:
            log_format.with_fields(fields)
        except ConfigurationError as error:
            refusals.append(str(error))
    if len(refusals) == len(having):
        raise ConfigurationError(
            f"{option} must be names of columns, each once, separated by spaces or commas: "
            + ", and ".join(dict.fromkeys(refusals))
        )


def _days(name: str, value: str) -> dict[str, int]:
    """Read a number of days, and those of single log types: `90, alb=30`; "" is all others'."""
    read = _number(0, 36_500)
    days: dict[str, int] = {}
    for part in filter(None, map(str.strip, value.split(","))):
        log_type, equals, number = part.rpartition("=")
        of = _log_type(name, log_type.strip()) if equals else ""
        if days.setdefault(of, kept := read(name, number.strip())) != kept:
            raise ConfigurationError(f"{name} must give {of or 'all types'} one number of days")
    return days


def _days_kept(days: Mapping[str, int], log_type: str) -> int:
    return days.get(log_type, days.get("", 0))


index_prefix = _text(
    r"[a-z][a-z0-9-]{0,30}", "a lower-case letter, then up to 30 of a-z, 0-9 and hyphens"
)
_engine_type = _one_of(get_args(EngineType))
# Nothing in it may stand for other secrets.
_ONE_NAMED = r"arn:[a-z-]+:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@!-]+"
_LOOPBACK = r"http://(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?"

_bucket = _text(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "the name of an S3 bucket")
_account_id = _text(r"\d{12}", "the id of an AWS account")
_account_ids, _buckets = _several(_account_id), _several(_bucket)
_queue = _text(r"https?://\S+", "the address of an SQS queue")
_queue_arn = _text(r"arn:[\w-]+:sqs:[\w-]+:\d{12}:[\w-]+", "the ARN of an SQS queue")


class _Variable(NamedTuple):
    """The environment variable that a setting is read from, and how."""

    name: str
    read: _Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """Which logs there are, and how their types are identified."""

    log_type: Annotated[str, _Variable("LOG_TYPE", _log_type)] = ""
    """The type of every object; empty: each object is identified by itself."""
    log_types: Annotated[tuple[str, ...], _Variable("LOG_TYPES", _log_types)] = formats.NAMES
    """The types this deployment reads; objects of others are skipped."""
    log_type_prefixes: Annotated[
        Mapping[str, str], _Variable("LOG_TYPE_PREFIXES", _log_type_prefixes)
    ] = field(default_factory=dict)
    """The types of objects by the beginning of their keys; the longest that matches counts."""
    format_options: Annotated[
        Mapping[str, tuple[str, ...]], _Variable("FORMAT_OPTIONS", _format_options)
    ] = field(default_factory=dict)
    """The columns of files without a header, in order, by the option of their formats."""

    extracted_fields: Annotated[bool, _Variable("EXTRACTED_FIELDS", _switch)] = False
    """Whether what subscription filters found in log events is kept."""

    log_group_prefix: Annotated[
        str, _Variable("LOG_GROUP_PREFIX", _text(r"/\S*", "the start of log groups' names"))
    ] = ""
    """What an account-level subscription sends is read of log groups whose names begin so."""

    def __post_init__(self) -> None:
        """Refuse settings that contradict each other."""
        if self.log_type and self.log_type not in self.log_types:
            raise ConfigurationError(
                f"LOG_TYPE {self.log_type!r} must be one of LOG_TYPES ({', '.join(self.log_types)})"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSettings:
    """Where rejected records go."""

    bucket: Annotated[str, _Variable("BACKUP_BUCKET", _bucket)]


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketSettings:
    """Which bucket the logs are in, and which ones the deployment writes to itself."""

    logs: Annotated[str, _Variable("LOG_BUCKET", _bucket)] = ""
    own: Annotated[tuple[str, ...], _Variable("OWN_BUCKETS", _buckets)] = ()

    def __post_init__(self) -> None:
        """Refuse to read what the deployment writes: it would write more, without end."""
        if self.logs in self.own:
            raise ConfigurationError(
                f"LogBucketName must not be {self.logs!r}: this deployment writes to that bucket "
                "itself"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSettings:
    """Where messages about objects come from, and go to."""

    url: Annotated[str, _Variable("QUEUE_URL", _queue)]
    """The function's own queue."""
    parquet_url: Annotated[str, _Variable("PARQUET_QUEUE_URL", _queue)] = ""
    """The queue of the function that reads Parquet files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnqueueSettings:
    """Which objects may be enqueued, and where."""

    log_bucket: Annotated[str, _Variable("LOG_BUCKET", _bucket)]
    log_bucket_prefix: Annotated[
        str, _Variable("LOG_BUCKET_PREFIX", _text(r".+", "the start of an object key"))
    ] = ""
    """What else is in the bucket is nobody's here."""
    backup_bucket: Annotated[str, _Variable("BACKUP_BUCKET", _bucket)] = ""
    opensearch_queue_arn: Annotated[str, _Variable("OPENSEARCH_QUEUE_ARN", _queue_arn)] = ""
    light_engine_queue_arn: Annotated[str, _Variable("LIGHT_ENGINE_QUEUE_ARN", _queue_arn)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSettings:
    """Where the search engine is, and how to be let in."""

    endpoint: Annotated[str, _Variable("OPENSEARCH_ENDPOINT", _endpoint)]
    auth: Annotated[Auth, _Variable("OPENSEARCH_AUTH", _one_of(get_args(Auth)))] = "sigv4"
    engine_type: Annotated[EngineType, _Variable("ENGINE_TYPE", _engine_type)] = "opensearch"
    collection_name: Annotated[
        str, _Variable("COLLECTION_NAME", _text(r"[a-z][a-z0-9-]{2,31}", "the collection's name"))
    ] = ""
    """Of OpenSearch Serverless: the setup checks that it is of the engine type's kind."""
    secret_arn: Annotated[
        str,
        _Variable("OPENSEARCH_SECRET_ARN", _text(_ONE_NAMED, "the ARN of one secret")),
    ] = ""

    def __post_init__(self) -> None:
        """Refuse settings that contradict each other."""
        if self.auth == "basic" and not self.secret_arn:
            raise ConfigurationError(
                "OPENSEARCH_SECRET_ARN must name the secret that holds username and password, "
                "because OPENSEARCH_AUTH is basic"
            )
        plain = self.endpoint.startswith("http://") and not re.fullmatch(_LOOPBACK, self.endpoint)
        if plain and self.auth != "none":
            raise ConfigurationError(
                f"OPENSEARCH_ENDPOINT must begin with https:// because OPENSEARCH_AUTH is "
                f"{self.auth}: over {self.endpoint[:200]!r} anybody on the way could read or "
                "change what is sent"
            )

    @property
    def takes_ids(self) -> bool:
        """Whether documents have ids of ours: a time series collection takes none."""
        return self.engine_type != "serverless-timeseries"


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardsSettings:
    """Where OpenSearch Dashboards is, which is let in as the search engine is."""

    endpoint: Annotated[str, _Variable("DASHBOARDS_ENDPOINT", _address)] = ""
    """Empty: this function has nothing to do with dashboards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSettings:
    """What indexes are called, and what they are like."""

    prefix: Annotated[str, _Variable("INDEX_PREFIX", index_prefix)] = "aws"
    period: Annotated[Period, _Variable("INDEX_PERIOD", _one_of(PERIODS))] = "day"
    shards: Annotated[int, _Variable("INDEX_SHARDS", _number(1, 1024))] = 1
    replicas: Annotated[int, _Variable("INDEX_REPLICAS", _number(0, 20))] = 1
    refresh_interval: Annotated[
        str,
        _Variable(
            "INDEX_REFRESH_INTERVAL", _text(r"-1|\d+(ms|s|m|h)", "a time as 30s or 1m, or -1")
        ),
    ] = "30s"
    codec: Annotated[
        str,
        _Variable(
            "INDEX_CODEC", _text(r"[a-z_]+", "the name of an index codec, as best_compression")
        ),
    ] = "best_compression"
    delete_after_days: Annotated[Mapping[str, int], _Variable("DELETE_AFTER_DAYS", _days)] = field(
        default_factory=dict
    )
    """How long documents are kept, by log type; "" for the types that it does not name."""
    force_merge_after_days: Annotated[
        int, _Variable("FORCE_MERGE_AFTER_DAYS", _number(0, 36_500))
    ] = 0
    warm_after_days: Annotated[int, _Variable("WARM_AFTER_DAYS", _number(0, 36_500))] = 0
    cold_after_days: Annotated[int, _Variable("COLD_AFTER_DAYS", _number(0, 36_500))] = 0
    engine_type: Annotated[EngineType, _Variable("ENGINE_TYPE", _engine_type)] = "opensearch"
    """A collection of OpenSearch Serverless decides shards, replicas and codec itself."""

    def __post_init__(self) -> None:
        """Refuse settings that contradict each other."""
        merge, warm, cold = (
            self.force_merge_after_days,
            self.warm_after_days,
            self.cold_after_days,
        )
        if cold and not 0 < warm < cold:
            raise ConfigurationError(
                f"COLD_AFTER_DAYS {cold} must be more than WARM_AFTER_DAYS, which must be given "
                f"too, not {warm}: an index goes to cold storage from UltraWarm"
            )
        if merge and warm and merge >= warm:
            raise ConfigurationError(
                f"FORCE_MERGE_AFTER_DAYS {merge} must be less than WARM_AFTER_DAYS {warm}: "
                "UltraWarm merges by itself"
            )
        if self.tiers and self.first_tier_days < MOST_DAYS[self.period]:
            raise ConfigurationError(
                f"FORCE_MERGE_AFTER_DAYS {merge} and WARM_AFTER_DAYS {warm} must be 0 or at least "
                f"{MOST_DAYS[self.period]} with INDEX_PERIOD {self.period}: until then an index is "
                "written, and a warm one takes no more writes"
            )
        if self.engine_type != "opensearch" and self.tiers:
            raise ConfigurationError(
                "FORCE_MERGE_AFTER_DAYS, WARM_AFTER_DAYS and COLD_AFTER_DAYS must be 0 with "
                f"ENGINE_TYPE {self.engine_type}: OpenSearch Serverless has no tiers"
            )

    @property
    def tiers(self) -> bool:
        """Whether Index State Management moves or merges old indexes."""
        return bool(self.force_merge_after_days or self.warm_after_days)

    @property
    def first_tier_days(self) -> int:
        """After how many days an index leaves the first tier; 0: never."""
        return self.force_merge_after_days or self.warm_after_days

    def days_kept(self, log_type: str) -> int:
        """Say for how many days documents of a log type are kept; 0: for ever."""
        return _days_kept(self.delete_after_days, log_type)


@dataclass(frozen=True, slots=True, kw_only=True)
class LakeSettings:
    """Where the lake is, what comes into it, and how much of it at a time."""

    staging_bucket: Annotated[str, _Variable("STAGING_BUCKET", _bucket)]
    """Where objects wait for their conversion, and files for their publication."""
    lake_bucket: Annotated[str, _Variable("LAKE_BUCKET", _bucket)]
    ledger_table: Annotated[
        str, _Variable("LEDGER_TABLE", _text(r"[\w.-]{3,255}", "the name of a DynamoDB table"))
    ]
    glue_database: Annotated[
        str, _Variable("GLUE_DATABASE", _text(r"\w{1,255}", "the name of a Glue database"))
    ]
    log_types: Annotated[tuple[str, ...], _Variable("LAKE_LOG_TYPES", _log_types)] = formats.NAMES
    """The types that the lake takes; objects of others are skipped."""
    delete_after_days: Annotated[Mapping[str, int], _Variable("LAKE_DELETE_AFTER_DAYS", _days)] = (
        field(default_factory=dict)
    )
    """How long rows are kept, by log type; "" for the types that it does not name."""
    max_objects_per_batch: Annotated[
        int, _Variable("MAX_OBJECTS_PER_BATCH", _number(1, 10_000))
    ] = 2000
    max_bytes_per_batch: Annotated[
        int, _Variable("MAX_BYTES_PER_BATCH", _number(1, 999_999_999))
    ] = 512 * 1024 * 1024
    """Of objects as they are delivered, compressed."""
    max_batches_per_run: Annotated[int, _Variable("MAX_BATCHES_PER_RUN", _number(1, 1000))] = 200
    grace_hours: Annotated[int, _Variable("GRACE_HOURS", _number(1, 8760))] = 24
    """How long files that were replaced stay for the queries that still read them."""

    def days_kept(self, log_type: str) -> int:
        """Say for how many days rows of a log type are kept; 0: for ever."""
        return _days_kept(self.delete_after_days, log_type)

    def most_days_kept(self) -> int:
        """Say for how many days rows of any log type may be kept; 0: for ever."""
        days = [self.days_kept(log_type) for log_type in formats.NAMES]
        return max(days) if all(days) else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkGroupSettings:
    """Where the lake is queried."""

    name: Annotated[
        str,
        _Variable(
            "ATHENA_WORK_GROUP", _text(r"[a-zA-Z0-9._-]{1,128}", "the name of an Athena workgroup")
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """Whose buckets are read."""

    account_id: Annotated[str, _Variable("ACCOUNT_ID", _account_id)]
    """The deployment's own."""
    member_account_ids: Annotated[
        tuple[str, ...], _Variable("MEMBER_ACCOUNT_IDS", _account_ids)
    ] = ()
    organization_id: Annotated[
        str, _Variable("ORGANIZATION_ID", _text(r"o-[a-z0-9]{10,32}", "the id of an organization"))
    ] = ""
    """With it every account of it is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceSettings:
    """Where records are from whose place neither they nor their objects name."""

    account_id: Annotated[str, _Variable("DEFAULT_ACCOUNT_ID", _account_id)]
    region: Annotated[
        str, _Variable("DEFAULT_REGION", _text(r"[a-z0-9-]{1,40}", "a Region, as eu-west-1"))
    ]


def read_settings[Concern: DataclassInstance](
    concern: type[Concern], environment: Mapping[str, str] = os.environ
) -> Concern:
    """Read the settings of one concern; one that is missing or makes no sense is an error."""
    values = {}
    variables = get_type_hints(concern, include_extras=True)
    for setting in fields(concern):
        (variable,) = variables[setting.name].__metadata__
        if value := environment.get(variable.name, "").strip():
            values[setting.name] = variable.read(variable.name, value)
        elif setting.default is MISSING and setting.default_factory is MISSING:
            raise ConfigurationError(f"{variable.name} must be set; the stack's template does so")
    return concern(**values)
