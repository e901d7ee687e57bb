"""Samples of AWS WAF logs: a web ACL before a load balancer, and one before CloudFront."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from local.sample_logs import ACCOUNT, REGION, SampleObject, gzipped
from local.sample_logs.clients import USER_AGENTS, Followed, address, address_v6, hexadecimal, path

_START = datetime(2026, 11, 20, 8, 10, tzinfo=UTC)
_REGIONAL = (
    f"arn:aws:wafv2:{REGION}:{ACCOUNT}:regional/webacl/shop/11111111-2222-4333-8444-555555555555"
)
_GLOBAL = (
    f"arn:aws:wafv2:us-east-1:{ACCOUNT}:global/webacl/edge-acl/22222222-3333-4444-8555-666666666666"
)
_COUNTRIES = ("DE", "FR", "GB", "US", "US", "BR", "IN", "-")
_LANGUAGES = ("en-US,en;q=0.9", "de-DE,de;q=0.9,en;q=0.7", "fr-FR,fr;q=0.9")
_COMMON_RULES = "AWS#AWSManagedRulesCommonRuleSet"
_SQL_RULES = "AWS#AWSManagedRulesSQLiRuleSet"
_Record = dict[str, Any]


def generate(records: int, rng: random.Random, seconds: int = 300) -> bytes:
    return _lines(_record(rng, seconds) for _ in range(records))


def objects(rng: random.Random) -> Iterator[SampleObject]:
    usual = generate(299, rng) + _lines([_followed(rng)])
    yield SampleObject("waf", _key(REGION, "shop", "0815"), gzipped(usual), 300)
    edge = [_at_the_edge(_record(rng)) for _ in range(200)]
    yield SampleObject("waf", _key("cloudfront", "edge-acl", "0815"), gzipped(_lines(edge)), 200)
    odd = [*_odd_records(rng)]
    yield SampleObject("waf", _key(REGION, "shop", "0820"), gzipped(_lines(odd)), len(odd))
    broken = generate(40, rng).replace(b'"formatVersion":1', b'"formatVersion":1"', 1)
    yield SampleObject("waf", _key(REGION, "shop", "0825"), gzipped(broken), 40, rejected=1)
    # Through Firehose: its key does not identify it, and no newline need be between records.
    stream = "aws-waf-logs-shop"
    key = f"waf/2026/11/20/08/{stream}-1-2026-11-20-08-10-02-1b4e28ba-2fa1-11d2-883f-0016d3cca427"
    yield SampleObject("waf", f"{key}.gz", gzipped(generate(60, rng).replace(b"\n", b"")), 60)


def _key(region: str, web_acl: str, time: str) -> str:
    name = f"{ACCOUNT}_waflogs_{region}_{web_acl}_20261120T{time}Z_0f1e2d3c.log.gz"
    folder = f"{region}/{web_acl}/2026/11/20/{time[:2]}/{time[2:]}"
    return f"AWSLogs/{ACCOUNT}/WAFLogs/{folder}/{name}"


def _lines(records: Iterator[_Record] | list[_Record]) -> bytes:
    lines = [json.dumps(record, separators=(",", ":"), ensure_ascii=False) for record in records]
    return "\n".join((*lines, "")).encode()


def _record(rng: random.Random, seconds: int = 300) -> _Record:
    """An ordinary request: most are allowed, some counted, some blocked as attacks."""
    uri, _, args = path(rng).partition("?")
    record = _allowed(rng, uri, args, seconds)
    kind = rng.random()
    if kind < 0.06:
        return _injection(rng, record)
    if kind < 0.09:
        return _cross_site_scripting(record)
    if kind < 0.13:
        return _rate_limited(record)
    if kind < 0.16:
        return _captcha(record)
    if kind < 0.19:
        return _challenge_passed(rng, record)
    if kind < 0.30:
        return _counted(rng, record)
    return record


def _allowed(rng: random.Random, uri: str, args: str, seconds: int = 300) -> _Record:
    moment = _START + timedelta(milliseconds=rng.randrange(seconds * 1_000))
    version = rng.choice(("HTTP/1.1", "HTTP/2.0"))
    client = address(rng) if rng.random() < 0.9 else address_v6(rng)
    agent = rng.randrange(len(USER_AGENTS))
    return {
        "timestamp": round(moment.timestamp() * 1000),
        "formatVersion": 1,
        "webaclId": _REGIONAL,
        "terminatingRuleId": "Default_Action",
        "terminatingRuleType": "REGULAR",
        "action": "ALLOW",
        "terminatingRuleMatchDetails": [],
        "httpSourceName": "ALB",
        "httpSourceId": f"{ACCOUNT}-app/shop-web/0a1b2c3d4e5f6071",
        "ruleGroupList": [_group(_COMMON_RULES), _group(_SQL_RULES)],
        "rateBasedRuleList": [],
        "nonTerminatingMatchingRules": [],
        "requestHeadersInserted": None,
        "responseCodeSent": None,
        "httpRequest": {
            "clientIp": client,
            "country": rng.choice(_COUNTRIES),
            "headers": _headers(rng, client, USER_AGENTS[agent], version),
            "uri": uri,
            "args": args,
            "httpVersion": version,
            "httpMethod": "POST" if rng.random() < 0.2 else "GET",
            "requestId": f"1-691ed06f-{hexadecimal(rng, 24)}",
            "fragment": "",
            "scheme": "https",
            "host": "shop.example",
        },
        "ja3Fingerprint": f"0123456789abcdef0123456789abcde{agent}",
        "ja4Fingerprint": f"t13d1516h2_0123456789ab_0123456789a{agent}",
        "requestBodySize": 0,
        "requestBodySizeInspectedByWAF": 0,
    }


def _followed(rng: random.Random) -> _Record:
    """Give the record of the request that can be followed through the logs."""
    record = _allowed(rng, Followed.path, "")
    record["timestamp"] = round(Followed.at.timestamp() * 1000)
    headers = _headers(rng, Followed.client, USER_AGENTS[0], "HTTP/2.0")
    for header in headers:
        if header["name"].lower() == "x-amzn-trace-id":
            header["value"] = f"Root={Followed.trace}"
    record["httpRequest"] |= {
        "clientIp": Followed.client,
        "httpMethod": "GET",
        "httpVersion": "HTTP/2.0",
        "requestId": Followed.trace,
        "headers": headers,
    }
    return record


def _headers(rng: random.Random, client: str, agent: str, version: str) -> list[dict[str, str]]:
    """Ten to twenty headers, named as the protocol version does."""
    headers = {
        "Host": "shop.example",
        "X-Forwarded-For": client,
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Port": "443",
        "X-Amzn-Trace-Id": f"Root=1-691ed06f-{hexadecimal(rng, 24)}",
        "User-Agent": agent,
        "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
        "Accept-Encoding": "gzip, deflate, br, zstd",
        "Accept-Language": rng.choice(_LANGUAGES),
        "Cookie": f"session={hexadecimal(rng, 40)}; theme=dark",
        "Referer": "https://shop.example/search?q=red%20hat",
        "Sec-Fetch-Site": "same-origin",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Dest": "document",
        "Sec-Ch-Ua": '"Chromium";v="130", "Not?A_Brand";v="99"',
        "Sec-Ch-Ua-Mobile": "?0",
        "Upgrade-Insecure-Requests": "1",
        "Cache-Control": "max-age=0",
        "Priority": "u=0, i",
        "Origin": "https://shop.example",
    }
    some = list(headers.items())[: rng.randrange(10, 21)]
    if version == "HTTP/2.0":
        some = [(name.lower(), value) for name, value in some]
    return [{"name": name, "value": value} for name, value in some]


def _group(group: str, terminating: _Record | None = None, *others: _Record) -> _Record:
    return {
        "ruleGroupId": group,
        "terminatingRule": terminating,
        "nonTerminatingMatchingRules": list(others),
        "excludedRules": None,
        "customerConfig": None,
    }


def _labels(*names: str) -> list[dict[str, str]]:
    return [{"name": f"awswaf:{name}"} for name in names]


def _injection(rng: random.Random, record: _Record) -> _Record:
    rule = "SQLi_QUERYARGUMENTS"
    details = {
        "conditionType": "SQL_INJECTION",
        "sensitivityLevel": "LOW",
        "location": "ALL_QUERY_ARGS",
        "matchedData": [str(rng.randrange(1000)), "union", "select"],
        "matchedFieldName": "q",
    }
    terminating = {"ruleId": rule, "action": "BLOCK", "ruleMatchDetails": [details]}
    record["httpRequest"] |= {"uri": "/search", "args": f"q={quote('1 union select 1,2 -- ')}"}
    return record | {
        "terminatingRuleId": "AWS-AWSManagedRulesSQLiRuleSet",
        "terminatingRuleType": "MANAGED_RULE_GROUP",
        "action": "BLOCK",
        "terminatingRuleMatchDetails": [details],
        "ruleGroupList": [_group(_COMMON_RULES), _group(_SQL_RULES, terminating)],
        "labels": _labels("managed:aws:sql-database:SQLi_QueryArguments"),
    }


def _cross_site_scripting(record: _Record) -> _Record:
    details = {
        "conditionType": "XSS",
        "sensitivityLevel": "",
        "location": "HEADER",
        "matchedData": ["<", "script"],
        "matchedFieldName": "referer",
    }
    attack = {"name": "Referer", "value": "<script>alert(1)</script>"}
    others = [h for h in record["httpRequest"]["headers"] if h["name"].lower() != "referer"]
    record["httpRequest"]["headers"] = [*others, attack]
    return record | {
        "terminatingRuleId": "no-scripts",
        "action": "BLOCK",
        "terminatingRuleMatchDetails": [details],
        "ruleGroupList": [],
        "responseCodeSent": 418,
    }


def _rate_limited(record: _Record) -> _Record:
    limit = {
        "rateBasedRuleId": f"{_REGIONAL.rpartition('/')[0]}/rule/rl-ip",
        "rateBasedRuleName": "rl-ip",
        "limitKey": "IP",
        "limitValue": record["httpRequest"]["clientIp"],
        "maxRateAllowed": 100,
        "evaluationWindowSec": "60",
    }
    return record | {
        "terminatingRuleId": "rl-ip",
        "terminatingRuleType": "RATE_BASED",
        "action": "BLOCK",
        "ruleGroupList": [],
        "rateBasedRuleList": [limit],
    }


def _captcha(record: _Record) -> _Record:
    response = {"responseCode": 405, "solveTimestamp": 0, "failureReason": "TOKEN_MISSING"}
    return record | {
        "terminatingRuleId": "captcha-for-login",
        "action": "CAPTCHA",
        "responseCodeSent": 405,
        "captchaResponse": response,
        "labels": _labels("managed:captcha:absent"),
    }


def _challenge_passed(rng: random.Random, record: _Record) -> _Record:
    solved = record["timestamp"] // 1000 - rng.randrange(300)
    response = {"responseCode": 0, "solveTimestamp": solved}
    matched = {
        "ruleId": "challenge-crawlers",
        "action": "CHALLENGE",
        "ruleMatchDetails": [],
        "challengeResponse": response,
    }
    return record | {
        "nonTerminatingMatchingRules": [matched],
        "challengeResponse": response,
        "requestHeadersInserted": [{"name": "x-amzn-waf-verified", "value": "yes"}],
        "labels": _labels("managed:token:accepted"),
    }


def _counted(rng: random.Random, record: _Record) -> _Record:
    size = rng.randrange(8_193, 200_000)
    counted = {
        "ruleId": "SizeRestrictions_BODY",
        "action": "COUNT",
        "overriddenAction": "BLOCK",
        "ruleMatchDetails": [],
    }
    record["httpRequest"]["httpMethod"] = "POST"
    return record | {
        "ruleGroupList": [_group(_COMMON_RULES, None, counted), _group(_SQL_RULES)],
        "labels": _labels("managed:aws:core-rule-set:SizeRestrictions_Body", "clientip:geo:x"),
        "oversizeFields": ["REQUEST_BODY"],
        "requestBodySize": size,
        "requestBodySizeInspectedByWAF": min(size, 16_384),
    }


def _at_the_edge(record: _Record) -> _Record:
    """The same request at CloudFront."""
    record["httpRequest"]["requestId"] = "aB3xExampleReqId0003=="
    return record | {
        "webaclId": _GLOBAL,
        "httpSourceName": "CF",
        "httpSourceId": "E2EXAMPLE9Z8Y7",
        "cfDistributionTenantId": "dt_2iyrPcpKmZpZxZ2bT3Q9mEXAMPLE",
    }


def _odd_records(rng: random.Random) -> Iterator[_Record]:
    """Records that are easy to get wrong."""
    yield _allowed(rng, "REDACTED", "REDACTED")
    no_headers = _allowed(rng, "/", "")
    no_headers["httpRequest"]["headers"] = []
    yield no_headers
    twice = _allowed(rng, "/", "")
    twice["httpRequest"]["headers"] = [
        {"name": "HOST", "value": "shop.example"},
        {"name": "host", "value": "REDACTED"},
        {"name": "user-agent", "value": 'a "quoted" \\ agent\r\nover two lines, déjà vu'},
        {"name": "cookie", "value": "c=" + "x" * 40_000},
    ]
    twice["httpRequest"]["requestId"] = "null"
    yield twice
    excluded = {"exclusionType": "EXCLUDED_AS_COUNT", "ruleId": "GenericRFI_BODY"}
    group = _group(_COMMON_RULES) | {"excludedRules": [excluded]}
    yield _allowed(rng, "/a", "") | {"ruleGroupList": [group], "labels": _labels(*map(str, "abc"))}
    custom = [
        {"key": "HEADER", "name": "x-tenant", "value": "a-tenant"},
        {"key": "HTTPMETHOD", "value": "GET"},
    ]
    limit = {
        "rateBasedRuleId": "NO_EVALUATION_PERFORMED",
        "rateBasedRuleName": "rl-tenant",
        "limitKey": "CUSTOMKEYS",
        "maxRateAllowed": 100,
        "evaluationWindowSec": 120,
        "customValues": custom,
    }
    yield _allowed(rng, "/b", "") | {"rateBasedRuleList": [limit], "clientAsn": 64496}
    payment = {
        "verificationStatus": "INSUFFICIENT_FUNDS",
        "failureReason": "balance too low",
        "chainName": "base",
        "network": "eip155:8453",
        "amount": "1000",
        "currency": "USDC",
        "currencyMode": "TEST",
    }
    yield _allowed(rng, "/c", "") | {
        "action": "MONETIZE",
        "terminatingRuleId": "crawlers-pay",
        "monetizeVerifyResponse": payment,
        "aFieldOfNextYear": {"log": [{"name": 1}]},
    }
    yield dict(reversed(_allowed(rng, "/d", "").items()))
