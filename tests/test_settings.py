"""Settings are read by concern, and a wrong one says which and what it must be."""

import os
import subprocess
import sys

import pytest

from servicelogs import formats
from servicelogs.errors import ConfigurationError
from servicelogs.settings import (
    AccountSettings,
    BackupSettings,
    BucketSettings,
    IndexSettings,
    LakeSettings,
    LogSettings,
    QueueSettings,
    SearchSettings,
    read_settings,
)

LAKE = {
    "STAGING_BUCKET": "staging",
    "LAKE_BUCKET": "lake",
    "LEDGER_TABLE": "ledger",
    "GLUE_DATABASE": "logs",
}
ENDPOINT = {"OPENSEARCH_ENDPOINT": "https://search.example"}


def test_a_concern_asks_for_nothing_of_another():
    assert read_settings(LogSettings, {}) == LogSettings()
    assert read_settings(IndexSettings, {}) == IndexSettings()
    assert read_settings(BackupSettings, {"BACKUP_BUCKET": "backup"}).bucket == "backup"


def test_settings_are_imported_without_an_engine_and_without_the_formats():
    script = "import sys, servicelogs.settings; print(*sys.modules)"
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    printed = subprocess.check_output([sys.executable, "-c", script], env=environment, text=True)
    imported = set(printed.split())
    assert "servicelogs.formats" in imported
    assert not [name for name in imported if name.startswith(("opensearch", "servicelogs.opens"))]
    assert not [name for name in formats.NAMES if f"servicelogs.formats.{name}" in imported]


def test_empty_means_not_given():
    assert read_settings(LogSettings, {"LOG_TYPE": "", "LOG_TYPES": " "}) == LogSettings()


def test_numbers_and_lists_have_their_types():
    indexes = read_settings(IndexSettings, {"INDEX_SHARDS": "3", "INDEX_REPLICAS": " 0 "})
    assert (indexes.shards, indexes.replicas) == (3, 0)
    logs = read_settings(LogSettings, {"LOG_TYPES": "alb, cloudtrail"})
    assert logs.log_types == ("alb", "cloudtrail")


def test_all_types_may_be_asked_for_beside_some():
    assert read_settings(LogSettings, {"LOG_TYPES": "alb,all"}).log_types == formats.NAMES


def test_a_domain_may_be_named_without_scheme():
    host = "vpc-logs.eu-west-1.es.amazonaws.com"
    search = read_settings(SearchSettings, {"OPENSEARCH_ENDPOINT": host})
    assert search.endpoint == f"https://{host}"


@pytest.mark.parametrize(
    ("concern", "name", "value"),
    [
        (SearchSettings, "OPENSEARCH_ENDPOINT", "ftp://search.example"),
        (SearchSettings, "OPENSEARCH_ENDPOINT", "https://search.example/path"),
        (SearchSettings, "OPENSEARCH_AUTH", "kerberos"),
        (SearchSettings, "OPENSEARCH_AUTH", "basic"),  # without a secret
        (SearchSettings, "ENGINE_TYPE", "s3"),
        (SearchSettings, "COLLECTION_NAME", "Two Words"),
        (SearchSettings, "OPENSEARCH_SECRET_ARN", "password"),
        (IndexSettings, "ENGINE_TYPE", "s3"),
        (SearchSettings, "OPENSEARCH_SECRET_ARN", "arn:aws:secretsmanager:r:111122223333:secret:*"),
        (SearchSettings, "OPENSEARCH_SECRET_ARN", "arn:aws:secretsmanager:*:*:secret:engine"),
        (IndexSettings, "INDEX_PERIOD", "decade"),
        (IndexSettings, "INDEX_PREFIX", "two words"),
        (IndexSettings, "INDEX_PREFIX", "AWS"),
        (IndexSettings, "INDEX_PREFIX", "*"),
        (IndexSettings, "INDEX_PREFIX", "aws.alb"),  # ids of saved objects end a prefix with a dot
        (IndexSettings, "INDEX_PREFIX", "a" * 32),
        (IndexSettings, "INDEX_SHARDS", "0"),
        (IndexSettings, "INDEX_SHARDS", "many"),
        (IndexSettings, "INDEX_REPLICAS", "-1"),
        (IndexSettings, "INDEX_REFRESH_INTERVAL", "soon"),
        (IndexSettings, "INDEX_CODEC", "Best Compression"),
        (IndexSettings, "DELETE_AFTER_DAYS", "1.5"),
        (LogSettings, "LOG_TYPE", "albs"),
        (LogSettings, "LOG_TYPES", "alb,albs"),
        (LogSettings, "LOG_TYPES", ","),
        (LogSettings, "LOG_TYPE_PREFIXES", "edge/"),
        (LogSettings, "LOG_TYPE_PREFIXES", "=alb"),
        (LogSettings, "LOG_TYPE_PREFIXES", "edge/=albs"),
        (LogSettings, "LOG_TYPE_PREFIXES", "edge/=alb,edge/=cloudtrail"),
        (AccountSettings, "ACCOUNT_ID", "11112222333"),
        (AccountSettings, "MEMBER_ACCOUNT_IDS", "222233334444, 333344445555"),
        (AccountSettings, "MEMBER_ACCOUNT_IDS", "*"),
        (AccountSettings, "ORGANIZATION_ID", "*"),
        (BackupSettings, "BACKUP_BUCKET", "s3://bucket"),
        (BucketSettings, "OWN_BUCKETS", "backup,s3://bucket"),
        (BucketSettings, "OWN_BUCKETS", "backup,"),
        (LakeSettings, "STAGING_BUCKET", "s3://bucket"),
        (LakeSettings, "GLUE_DATABASE", "two words"),
        (LakeSettings, "LEDGER_TABLE", "arn:aws:dynamodb:eu-west-1:111122223333:table/ledger"),
        (LakeSettings, "LAKE_LOG_TYPES", "albs"),
        (LakeSettings, "LAKE_DELETE_AFTER_DAYS", "a month"),
        (LakeSettings, "LAKE_DELETE_AFTER_DAYS", "albs=3"),
        (LakeSettings, "LAKE_DELETE_AFTER_DAYS", "alb="),
        (LakeSettings, "LAKE_DELETE_AFTER_DAYS", "30, alb=3, 60"),
        (LakeSettings, "LAKE_DELETE_AFTER_DAYS", "alb=3,alb=4"),
        (LakeSettings, "MAX_BYTES_PER_BATCH", "0"),
        (LakeSettings, "GRACE_HOURS", "0"),
        (QueueSettings, "QUEUE_URL", "arn:aws:sqs:eu-west-1:111122223333:queue"),
        (QueueSettings, "PARQUET_QUEUE_URL", "arn:aws:sqs:eu-west-1:111122223333:queue"),
    ],
)
def test_a_wrong_value_is_named(concern, name, value):
    given = ENDPOINT | LAKE | {"QUEUE_URL": "https://sqs.example/queue", "ACCOUNT_ID": "1" * 12}
    given |= {name: value}
    with pytest.raises(ConfigurationError, match=name) as caught:
        read_settings(concern, given)
    assert "must" in str(caught.value)


@pytest.mark.parametrize(
    ("concern", "name"),
    [
        (SearchSettings, "OPENSEARCH_ENDPOINT"),
        (QueueSettings, "QUEUE_URL"),
        (BackupSettings, "BACKUP_BUCKET"),
        (AccountSettings, "ACCOUNT_ID"),
        (LakeSettings, "STAGING_BUCKET"),
    ],
)
@pytest.mark.parametrize("given", [{}, {"OPENSEARCH_ENDPOINT": " ", "QUEUE_URL": ""}])
def test_what_has_no_default_is_asked_for(concern, name, given):
    with pytest.raises(ConfigurationError, match=f"{name} must be set"):
        read_settings(concern, given)


def test_a_bucket_that_the_deployment_writes_to_is_no_log_bucket():
    given = {"LOG_BUCKET": "lake", "OWN_BUCKETS": "staging,lake"}
    with pytest.raises(ConfigurationError, match="LogBucketName must not be 'lake'"):
        read_settings(BucketSettings, given)
    assert read_settings(BucketSettings, given | {"LOG_BUCKET": "logs"}).own == ("staging", "lake")


def test_a_pinned_type_is_among_those_that_are_indexed():
    with pytest.raises(ConfigurationError, match="LOG_TYPE"):
        read_settings(LogSettings, {"LOG_TYPE": "alb", "LOG_TYPES": "cloudtrail"})


def test_a_prefix_of_keys_may_hold_an_equals_sign_itself():
    value = "hive/year=2026/=alb,net/=vpc_flow,net/=vpc_flow"
    logs = read_settings(LogSettings, {"LOG_TYPE_PREFIXES": value})
    assert logs.log_type_prefixes == {"hive/year=2026/": "alb", "net/": "vpc_flow"}


@pytest.mark.parametrize(
    "value",
    [
        "date time cs(User-Agent)",
        "date,time,cs(User-Agent)",
        " date, time\tcs(User-Agent) ",
        "${date} ${time} ${cs(User-Agent)}",
        "${date}${time},cs(User-Agent)",
    ],
)
def test_fields_may_be_separated_as_aws_shows_them_or_by_commas(value):
    given = {"FORMAT_OPTIONS": f"CloudFrontFields={value};FlowLogFields="}
    logs = read_settings(LogSettings, given)
    assert logs.format_options == {"CloudFrontFields": ("date", "time", "cs(User-Agent)")}


@pytest.mark.parametrize(
    "value", [";", " ; ", "CloudFrontFields=;FlowLogFields=", "FlowLogFields= "]
)
def test_options_that_are_not_given_are_none(value):
    assert read_settings(LogSettings, {"FORMAT_OPTIONS": value}).format_options == {}


@pytest.mark.parametrize(
    "fields",
    ["version srcaddr", "tgw-id srcaddr", "interface-id srcaddr", "srcaddr a-newer-column"],
)
def test_flow_logs_may_have_the_columns_of_either_kind_and_newer_ones(fields):
    logs = read_settings(LogSettings, {"FORMAT_OPTIONS": f"FlowLogFields={fields}"})
    assert logs.format_options == {"FlowLogFields": tuple(fields.split())}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("CloudFrontFields=date time date", "'date' is given twice"),
        ("CloudFrontFields=date ti/me", "'ti/me' is not the name of a column"),
        ("CloudFrontFields=srcaddr", "none of the names is a column of cloudfront: 'srcaddr'"),
        ("FlowLogFields=srcaddr SrcPort", "'SrcPort' is not the name of a column"),
        ("FlowLogFields=${srcaddr ${end}", "'${srcaddr' is not the name of a column"),
        ("FlowLogFields=foo bar", "none of the names is a column of tgw_flow: 'foo bar', and none"),
        (
            "FlowLogFields=interface-id tgw-id",
            "'interface-id' is not a column of tgw_flow, and 'tgw-id' is not a column of vpc_flow",
        ),
        ("FlowFields=srcaddr", "FORMAT_OPTIONS must be options of log types, not 'FlowFields'"),
        ("srcaddr dstaddr", "FORMAT_OPTIONS must be option=names pairs"),
        (
            "FlowLogFields=srcaddr start;FlowLogFields=vpc-id start",
            "FORMAT_OPTIONS must give FlowLogFields one list of names, not several",
        ),
    ],
)
def test_a_bad_name_in_an_option_is_an_error_that_says_which(value, reason):
    with pytest.raises(ConfigurationError) as caught:
        read_settings(LogSettings, {"FORMAT_OPTIONS": value})
    assert reason in str(caught.value)
    assert f"{value.partition('=')[0]} must be" in str(caught.value) or "FORMAT" in str(
        caught.value
    )


@pytest.mark.parametrize(("value", "kept"), [("", False), ("false", False), ("true", True)])
def test_extracted_fields_are_kept_if_that_is_said(value: str, kept: bool) -> None:
    assert read_settings(LogSettings, {"EXTRACTED_FIELDS": value}).extracted_fields is kept


def test_a_switch_is_true_or_false() -> None:
    with pytest.raises(ConfigurationError, match="EXTRACTED_FIELDS must be one of true, false"):
        read_settings(LogSettings, {"EXTRACTED_FIELDS": "yes"})


@pytest.mark.parametrize(
    ("given", "days", "most"),
    [
        ("", {"alb": 0, "waf": 0}, 0),
        ("90", {"alb": 90, "waf": 90}, 90),
        ("90, alb=30, cloudtrail=400", {"alb": 30, "waf": 90, "cloudtrail": 400}, 400),
        ("90,alb=0", {"alb": 0, "waf": 90}, 0),
        ("alb=30", {"alb": 30, "waf": 0}, 0),
    ],
)
def test_rows_are_kept_for_the_days_of_their_type_else_of_all(given, days, most):
    lake = read_settings(LakeSettings, LAKE | {"LAKE_DELETE_AFTER_DAYS": given})
    assert {name: lake.days_kept(name) for name in days} == days
    assert lake.most_days_kept() == most


# pragma: allowlist nextline secret: the name of one
SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:engine-1a2b3c"


@pytest.mark.parametrize("auth", ["sigv4", "basic"])
@pytest.mark.parametrize(
    "endpoint",
    [
        "http://search.example",
        "http://search.example:9200",
        "http://10.0.0.7:9200",
        "http://127.0.0.1.example:9200",
        "http://localhost.example",
    ],
)
def test_a_password_or_signature_goes_over_tls_alone(auth: str, endpoint: str) -> None:
    given = {"OPENSEARCH_ENDPOINT": endpoint, "OPENSEARCH_AUTH": auth}
    with pytest.raises(ConfigurationError, match="must begin with https://"):
        read_settings(SearchSettings, given | {"OPENSEARCH_SECRET_ARN": SECRET})
    assert read_settings(SearchSettings, given | {"OPENSEARCH_AUTH": "none"}).endpoint == endpoint


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:9200", "http://localhost", "http://[::1]:9200/"]
)
def test_on_the_machine_itself_there_is_no_way_to_listen_on(endpoint: str) -> None:
    given = {"OPENSEARCH_ENDPOINT": endpoint, "OPENSEARCH_AUTH": "basic"}
    search = read_settings(SearchSettings, given | {"OPENSEARCH_SECRET_ARN": SECRET})
    assert search.endpoint == endpoint.rstrip("/")
