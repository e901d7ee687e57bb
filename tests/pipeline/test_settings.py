"""Settings are read once, and a wrong one says which and what it must be."""

import pytest

from servicelogs import formats
from servicelogs.errors import ConfigurationError
from servicelogs.settings import read_settings

ENDPOINT = {"OPENSEARCH_ENDPOINT": "https://search.example"}


def test_only_the_endpoint_must_be_given():
    settings = read_settings(ENDPOINT)

    assert settings.opensearch_endpoint == "https://search.example"
    assert settings.log_types == formats.NAMES


def test_empty_means_not_given():
    assert read_settings(ENDPOINT | {"LOG_TYPE": "", "INDEX_SHARDS": ""}) == read_settings(ENDPOINT)


def test_numbers_and_lists_have_their_types():
    settings = read_settings(
        ENDPOINT | {"INDEX_SHARDS": "3", "INDEX_REPLICAS": "0", "LOG_TYPES": "alb, cloudtrail"}
    )

    assert (settings.index_shards, settings.index_replicas) == (3, 0)
    assert settings.log_types == ("alb", "cloudtrail")


def test_all_types_may_be_asked_for_beside_some():
    settings = read_settings(ENDPOINT | {"LOG_TYPES": "alb,all"})
    assert settings.log_types == formats.NAMES


def test_a_domain_may_be_named_without_scheme():
    settings = read_settings({"OPENSEARCH_ENDPOINT": "vpc-logs.eu-west-1.es.amazonaws.com"})
    assert settings.opensearch_endpoint == "https://vpc-logs.eu-west-1.es.amazonaws.com"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPENSEARCH_ENDPOINT", "ftp://search.example"),
        ("OPENSEARCH_ENDPOINT", "https://search.example/path"),
        ("OPENSEARCH_AUTH", "kerberos"),
        ("OPENSEARCH_AUTH", "basic"),  # without a secret
        ("OPENSEARCH_SERVICE", "s3"),
        ("OPENSEARCH_SECRET_ARN", "password"),
        ("INDEX_PERIOD", "decade"),
        ("INDEX_SHARDS", "0"),
        ("INDEX_SHARDS", "many"),
        ("INDEX_REPLICAS", "-1"),
        ("INDEX_REFRESH_INTERVAL", "soon"),
        ("INDEX_CODEC", "Best Compression"),
        ("DELETE_AFTER_DAYS", "1.5"),
        ("LOG_TYPE", "albs"),
        ("LOG_TYPES", "alb,albs"),
        ("LOG_TYPES", ","),
        ("CLOUDFRONT_FIELDS", "date;time"),
        ("CLOUDFRONT_FIELDS", "date time date"),
        ("LOG_TYPE_PREFIXES", "edge/"),
        ("LOG_TYPE_PREFIXES", "=alb"),
        ("LOG_TYPE_PREFIXES", "edge/=albs"),
        ("LOG_TYPE_PREFIXES", "edge/=alb,edge/=cloudtrail"),
        ("BACKUP_BUCKET", "s3://bucket"),
        ("QUEUE_URL", "arn:aws:sqs:eu-west-1:111122223333:queue"),
    ],
)
def test_a_wrong_value_is_named(name, value):
    with pytest.raises(ConfigurationError, match=name) as caught:
        read_settings(ENDPOINT | {name: value})
    assert "must" in str(caught.value)


def test_the_endpoint_is_asked_for():
    with pytest.raises(ConfigurationError, match="OPENSEARCH_ENDPOINT must be set"):
        read_settings({})


def test_what_a_function_needs_is_asked_for():
    with pytest.raises(ConfigurationError, match="QUEUE_URL must be set"):
        read_settings(ENDPOINT, needed=("QUEUE_URL",))


def test_a_pinned_type_is_among_those_that_are_indexed():
    with pytest.raises(ConfigurationError, match="LOG_TYPE"):
        read_settings(ENDPOINT | {"LOG_TYPE": "alb", "LOG_TYPES": "cloudtrail"})


def test_a_prefix_of_keys_may_hold_an_equals_sign_itself():
    settings = read_settings(
        ENDPOINT | {"LOG_TYPE_PREFIXES": "hive/year=2026/=alb,net/=vpc_flow,net/=vpc_flow"}
    )
    assert settings.log_type_prefixes == {"hive/year=2026/": "alb", "net/": "vpc_flow"}


@pytest.mark.parametrize(
    "value",
    ["date time cs(User-Agent)", "date,time,cs(User-Agent)", " date, time\tcs(User-Agent) "],
)
def test_fields_may_be_separated_as_aws_shows_them_or_by_commas(value):
    settings = read_settings(ENDPOINT | {"CLOUDFRONT_FIELDS": value})
    assert settings.cloudfront_fields == ("date", "time", "cs(User-Agent)")
