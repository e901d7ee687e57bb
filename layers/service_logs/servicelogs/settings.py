"""The deployment's settings, read once from the environment and checked where they are read."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, cast, get_args

from servicelogs import formats
from servicelogs.errors import ConfigurationError
from servicelogs.opensearch.index_names import PERIODS, Period

Auth = Literal["sigv4", "basic", "none"]
Service = Literal["es", "aoss"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a deployment decides."""

    opensearch_endpoint: str
    opensearch_auth: Auth = "sigv4"
    opensearch_service: Service = "es"
    opensearch_secret_arn: str = ""
    index_prefix: str = "aws"
    index_period: Period = "day"
    index_shards: int = 1
    index_replicas: int = 1
    index_refresh_interval: str = "30s"
    index_codec: str = "best_compression"
    delete_after_days: int = 0
    """0: records never expire."""
    log_type: str = ""
    """The type of every object; empty: each object tells its own."""
    log_types: tuple[str, ...] = formats.NAMES
    """The types this deployment indexes; objects of others are passed over."""
    log_type_prefixes: Mapping[str, str] = field(default_factory=dict)
    """The types of objects by the beginning of their keys; the longest that fits counts."""
    cloudfront_fields: tuple[str, ...] = ()
    """What CloudFront's plain files without a header hold, in order; none: AWS's default fields."""
    backup_bucket: str = ""
    queue_url: str = ""
    parquet_queue_url: str = ""
    """The queue of the function that reads Parquet files."""

    def __post_init__(self) -> None:
        """Refuse settings that contradict each other."""
        if self.opensearch_auth == "basic" and not self.opensearch_secret_arn:
            raise ConfigurationError(
                "OPENSEARCH_SECRET_ARN must name the secret that holds username and password, "
                "because OPENSEARCH_AUTH is basic"
            )
        if self.log_type and self.log_type not in self.log_types:
            raise ConfigurationError(
                f"LOG_TYPE {self.log_type!r} must be one of LOG_TYPES ({', '.join(self.log_types)})"
            )


def read_settings(
    environment: Mapping[str, str] = os.environ, *, needed: tuple[str, ...] = ()
) -> Settings:
    """Read the settings; one that is missing or makes no sense is an error that says so."""
    given = {name: value.strip() for name, value in environment.items() if name in _READERS}
    values = {name.lower(): _READERS[name](name, value) for name, value in given.items() if value}
    for name in ("OPENSEARCH_ENDPOINT", *needed):
        if name.lower() not in values:
            raise ConfigurationError(f"{name} must be set; the stack's template does so")
    # Each reader returns the type of its field; the keys are the fields' names.
    return Settings(**cast("dict[str, str]", values))  # type: ignore[arg-type]


type _Reader = Callable[[str, str], object]


def _text(pattern: str, must_be: str) -> _Reader:
    def read(name: str, value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ConfigurationError(f"{name} must be {must_be}, not {value[:200]!r}")
        return value

    return read


def _one_of(choices: tuple[str, ...]) -> _Reader:
    def read(name: str, value: str) -> str:
        if value not in choices:
            raise ConfigurationError(
                f"{name} must be one of {', '.join(choices)}, not {value[:200]!r}"
            )
        return value

    return read


def _number(least: int, most: int) -> _Reader:
    def read(name: str, value: str) -> int:
        number = int(value) if re.fullmatch(r"\d{1,9}", value) else -1
        if not least <= number <= most:
            raise ConfigurationError(
                f"{name} must be a whole number from {least} to {most}, not {value[:200]!r}"
            )
        return number

    return read


def _endpoint(name: str, value: str) -> str:
    # A domain's own attribute (DomainEndpoint) is a bare host name.
    address = value if "://" in value else f"https://{value}"
    if not re.fullmatch(r"https?://[^/\s?#@]+/?", address):
        raise ConfigurationError(
            f"{name} must be https://host or http://host:port, not {value[:200]!r}"
        )
    return address.rstrip("/")


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


def _fields(name: str, value: str) -> tuple[str, ...]:
    fields = tuple(value.replace(",", " ").split())
    wrong = [field for field in fields if not re.fullmatch(r"[0-9A-Za-z()-]+", field)]
    wrong += [field for at, field in enumerate(fields) if field in fields[:at]]
    if wrong:
        raise ConfigurationError(
            f"{name} must be CloudFront's names of fields, each once, as date time c-ip "
            f"cs(User-Agent), not {wrong[0][:200]!r}"
        )
    return fields


_READERS: dict[str, _Reader] = {
    "OPENSEARCH_ENDPOINT": _endpoint,
    "OPENSEARCH_AUTH": _one_of(get_args(Auth)),
    "OPENSEARCH_SERVICE": _one_of(get_args(Service)),
    "OPENSEARCH_SECRET_ARN": _text(r"arn:.+", "the ARN of a Secrets Manager secret"),
    "INDEX_PREFIX": _text(r"\S+", "what index names begin with, as aws"),
    "INDEX_PERIOD": _one_of(PERIODS),
    "INDEX_SHARDS": _number(1, 1024),
    "INDEX_REPLICAS": _number(0, 20),
    "INDEX_REFRESH_INTERVAL": _text(r"-1|\d+(ms|s|m|h)", "a time as 30s or 1m, or -1"),
    "INDEX_CODEC": _text(r"[a-z_]+", "the name of an index codec, as best_compression"),
    "DELETE_AFTER_DAYS": _number(0, 36_500),
    "LOG_TYPE": _log_type,
    "LOG_TYPES": _log_types,
    "LOG_TYPE_PREFIXES": _log_type_prefixes,
    "CLOUDFRONT_FIELDS": _fields,
    "BACKUP_BUCKET": _text(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "the name of an S3 bucket"),
    "QUEUE_URL": _text(r"https?://\S+", "the address of an SQS queue"),
    "PARQUET_QUEUE_URL": _text(r"https?://\S+", "the address of an SQS queue"),
}
