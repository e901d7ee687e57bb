"""AWS WAF logs: each web request that a web ACL evaluated, and which rules matched it."""

from collections.abc import Iterator

from servicelogs.parsing.fields import Field, FieldType
from servicelogs.parsing.format import Summary
from servicelogs.parsing.json.format import JsonFormat


def _keyword(path: str, description: str, since: str = "") -> Field:
    return Field(path, "keyword", description, since)


def _number(name: str, description: str, type_: FieldType = "integer", since: str = "") -> Field:
    return Field(name, type_, description, since)


def _match_details(path: str, whose: str) -> Iterator[Field]:
    """Give what only statements on SQL injection and cross-site scripting have."""
    yield _keyword(f"{path}.conditionType", f"{whose}: SQL_INJECTION or XSS")
    yield _keyword(f"{path}.sensitivityLevel", f"{whose}: HIGH or LOW")
    yield _keyword(f"{path}.location", f"{whose}: where it matched, as QUERY_STRING")
    yield _keyword(f"{path}.matchedData[]", f"{whose}: what it matched")
    yield _keyword(f"{path}.matchedFieldName", f"{whose}: header or cookie it matched")


def _token_response(path: str, what: str) -> Iterator[Field]:
    """Give how a CAPTCHA or challenge went; one that ended the request has a failure reason."""
    yield Field(f"{path}.responseCode", "integer", f"{what}: 0, or the code sent")
    yield Field(
        f"{path}.solveTimestamp",
        "timestamp",
        f"{what}: when it was solved; 0 if it was not",
        date_format="epoch_second",
    )
    yield _keyword(f"{path}.failureReason", f"{what}: TOKEN_MISSING, TOKEN_EXPIRED, …")


def _rules(path: str, which: str) -> Iterator[Field]:
    """Give what there is of rules that matched."""
    yield _keyword(f"{path}.ruleId", which)
    yield _keyword(f"{path}.action", f"{which}: action")
    yield _keyword(f"{path}.overriddenAction", f"{which}: action before it was overridden")
    yield from _match_details(f"{path}.ruleMatchDetails[]", which)
    yield from _token_response(f"{path}.captchaResponse", f"{which}: CAPTCHA")
    yield from _token_response(f"{path}.challengeResponse", f"{which}: challenge")


_NAMES = (
    "action|captchaResponse|cfDistributionTenantId|challengeResponse|clientAsn|formatVersion|"
    "forwardedAsn|httpRequest|httpSourceId|httpSourceName|ja3Fingerprint|ja4Fingerprint|labels|"
    "monetizeVerifyResponse|nonTerminatingMatchingRules|oversizeFields|rateBasedRuleList|"
    "requestBodySize|requestBodySizeInspectedByWAF|requestHeadersInserted|responseCodeSent|"
    "ruleGroupList|terminatingRuleId|terminatingRuleMatchDetails|terminatingRuleType|timestamp|"
    "webaclId"
)
"""Any of them may come first."""

_MATCHED = "part of the request that matched"

FORMAT = JsonFormat(
    name="waf",
    title="AWS WAF logs",
    page="https://docs.aws.amazon.com/waf/latest/developerguide/logging-fields.html",
    service_principal="delivery.logs.amazonaws.com",
    keys=(
        (
            "AWSLogs/{account}/WAFLogs/{region}/{name}/{day}/{hour_and_minute}"
            "/{account}_waflogs_{region}_{name}_{minute}_{id}.log"
        ),
    ),
    starts=rf'\s*\{{(?=\s*"(?:{_NAMES})"\s*:).*?[{{,]\s*"webaclId"\s*:\s*"',
    times=("timestamp",),
    places=("webaclId",),
    # A web ACL of CloudFront.
    worldwide=r"/WAFLogs/cloudfront/|^arn:[^:]*:wafv2:[^:]*:[^:]*:global/",
    tree=(
        Field(
            "timestamp",
            "timestamp",
            "when AWS WAF got the request, in milliseconds",
            date_format="epoch_millis",
        ),
        _number("formatVersion", "version of the record's format"),
        _keyword("webaclId", "ARN of the web ACL"),
        _keyword("terminatingRuleId", "rule that ended the evaluation; Default_Action if none did"),
        _keyword("terminatingRuleType", "REGULAR, RATE_BASED, GROUP or MANAGED_RULE_GROUP"),
        _keyword("action", "what was done with the request: ALLOW, BLOCK, CAPTCHA, CHALLENGE, …"),
        *_match_details("terminatingRuleMatchDetails[]", "the rule that ended it"),
        _keyword("httpSourceName", "service: CF, ALB, APIGW, APPSYNC, COGNITOIDP, …"),
        _keyword("httpSourceId", "distribution, load balancer, API … that got the request"),
        _keyword("ruleGroupList[].ruleGroupId", "rule groups that acted on it"),
        *_rules("ruleGroupList[].terminatingRule", "rule in a group that ended it"),
        *_rules(
            "ruleGroupList[].nonTerminatingMatchingRules[]", "rules in groups that only matched"
        ),
        _keyword("ruleGroupList[].excludedRules[].ruleId", "rules excluded from a group"),
        _keyword("ruleGroupList[].excludedRules[].exclusionType", "EXCLUDED_AS_COUNT"),
        _keyword("rateBasedRuleList[].rateBasedRuleId", "rate-based rules that acted"),
        _keyword("rateBasedRuleList[].rateBasedRuleName", "their names"),
        _keyword(
            "rateBasedRuleList[].limitKey",
            "what requests are counted by: IP, FORWARDED_IP, CUSTOMKEYS or CONSTANT",
        ),
        _keyword("rateBasedRuleList[].limitValue", "address that is limited"),
        Field("rateBasedRuleList[].maxRateAllowed", "long", "requests allowed"),
        Field("rateBasedRuleList[].evaluationWindowSec", "integer", "in so many seconds", "2024"),
        _keyword("rateBasedRuleList[].customValues[].key", "kinds of custom keys"),
        _keyword("rateBasedRuleList[].customValues[].name", "their names, as of a header"),
        _keyword("rateBasedRuleList[].customValues[].value", "the first 32 characters of each"),
        *_rules("nonTerminatingMatchingRules[]", "rules that only matched"),
        _keyword("requestHeadersInserted[].name", "headers that were added"),
        _keyword("requestHeadersInserted[].value", "their values"),
        _number("responseCodeSent", "status code of a custom response"),
        Field("httpRequest.clientIp", "ip", "client"),
        _keyword("httpRequest.country", "its country; - if not known"),
        _keyword("httpRequest.headers[].name", "headers, as they were written"),
        # To index their values would make the index of the sample logs larger by half, and most of
        # that would be cookies.
        Field("httpRequest.headers[].value", "keyword", "their values", indexed=False),
        _keyword("httpRequest.uri", "path in the URL"),
        _keyword("httpRequest.args", "query string in the URL"),
        _keyword("httpRequest.httpVersion", "protocol version"),
        _keyword("httpRequest.httpMethod", "method"),
        _keyword("httpRequest.requestId", "the service's own id of the request; or the text null"),
        _keyword("httpRequest.fragment", "what follows # in the URL", "2025"),
        _keyword("httpRequest.scheme", "scheme of the URL", "2025"),
        _keyword("httpRequest.host", "host of the URL", "2025"),
        _keyword("labels[].name", "labels that rules put on the request, 100 at most"),
        *_token_response("captchaResponse", "CAPTCHA"),
        *_token_response("challengeResponse", "challenge"),
        _keyword("ja3Fingerprint", "JA3 fingerprint of the client's TLS", "2023-09"),
        _keyword("ja4Fingerprint", "JA4 fingerprint of the client's TLS", "2025-03"),
        _number("clientAsn", "network (ASN) of the client, if a rule asked", "long", "2025-06"),
        _number("forwardedAsn", "network of the forwarded address", "long", "2025-06"),
        _keyword("oversizeFields[]", "parts too long to be inspected whole"),
        _number("requestBodySize", "size of the request's body, in bytes", "long"),
        _number("requestBodySizeInspectedByWAF", "so much of it was inspected", "long"),
        _keyword("cfDistributionTenantId", "CloudFront distribution tenant", "2025"),
        _keyword("monetizeVerifyResponse.verificationStatus", "VERIFIED, or what failed", "2026"),
        _keyword("monetizeVerifyResponse.failureReason", "why a payment was not verified", "2026"),
        _keyword("monetizeVerifyResponse.chainName", "blockchain of the payment", "2026"),
        _keyword("monetizeVerifyResponse.network", "its network, in CAIP-2 form", "2026"),
        _keyword("monetizeVerifyResponse.amount", "amount in atomic units of the token", "2026"),
        _keyword("monetizeVerifyResponse.currency", "currency, as USDC", "2026"),
        _keyword("monetizeVerifyResponse.asset", "contract of the token", "2026"),
        _keyword("monetizeVerifyResponse.payerAddress", "wallet of the client", "2026"),
        _keyword("monetizeVerifyResponse.idempotencyKey", "joins retries of a payment", "2026"),
        _keyword("monetizeVerifyResponse.currencyMode", "REAL or TEST", "2026"),
    ),
    # Cookies and authorization are not among them: what is secret is not made easier to list.
    headers={
        "host": "host",
        "userAgent": "user-agent",
        "referer": "referer",
        "origin": "origin",
        "xForwardedFor": "x-forwarded-for",
        "contentType": "content-type",
        "acceptLanguage": "accept-language",
    },
    header_list=("httpRequest", "headers"),
    common={
        "source.ip": "httpRequest.clientIp",
        "http.request.method": "httpRequest.httpMethod",
        "http.request.referrer": "request.referer",
        "http.request.id": "httpRequest.requestId",
        "http.request.body.bytes": "requestBodySize",
        "http.response.status_code": "responseCodeSent",
        "url.domain": "request.host",
        "url.path": "httpRequest.uri",
        "url.query": "httpRequest.args",
        "url.scheme": "httpRequest.scheme",
        "user_agent.original": "request.userAgent",
        "cloud.account.id": "cloud.account_id",
        "cloud.resource_id": "webaclId",
        "event.action": "action",
    },
    personal={
        "terminatingRuleMatchDetails.matchedData": _MATCHED,
        "ruleGroupList.terminatingRule.ruleMatchDetails.matchedData": _MATCHED,
        "ruleGroupList.nonTerminatingMatchingRules.ruleMatchDetails.matchedData": _MATCHED,
        "nonTerminatingMatchingRules.ruleMatchDetails.matchedData": _MATCHED,
        "rateBasedRuleList.limitValue": "addresses",
        "rateBasedRuleList.customValues.value": _MATCHED,
        "requestHeadersInserted.value": "headers",
        "httpRequest.country": "country",
        "httpRequest.headers.value": "headers, cookies and credentials among them",
        "httpRequest.fragment": "URL",
        "request.origin": "URL",
        "request.xForwardedFor": "addresses",
        "request.acceptLanguage": "what the client calls itself",
        "labels.name": _MATCHED,
        "ja3Fingerprint": "what the client calls itself",
        "ja4Fingerprint": "what the client calls itself",
        "clientAsn": "network",
        "forwardedAsn": "network",
        "monetizeVerifyResponse.payerAddress": "wallet",
    },
    summary=Summary(
        by=(
            "webaclId",
            "action",
            "terminatingRuleId",
            "terminatingRuleType",
            "httpRequest.country",
            "httpRequest.httpMethod",
        ),
        sums=("requestBodySize",),
    ),
)
