"""Application Load Balancer access logs."""

from servicelogs.formats import load_balancers
from servicelogs.parsing.format import Summary
from servicelogs.parsing.text.columns import (
    WORD,
    endpoint,
    integer,
    ip,
    items,
    keyword,
    long,
    quotes_optional,
    request,
    seconds,
    signed,
    text,
    time,
    timestamp,
)
from servicelogs.parsing.text.format import TextFormat

FORMAT = TextFormat(
    name="alb",
    title="Application Load Balancer access logs",
    page="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html",
    service_principal="logdelivery.elasticloadbalancing.amazonaws.com",
    keys=(
        (
            "AWSLogs/{account}/elasticloadbalancing/{region}/{day}"
            "/{account}_elasticloadbalancing_{region}_app.{name}_{minute}_{name}.log"
        ),
        *load_balancers.DELIVERIES,
    ),
    starts=r"(?:https?|h2|grpcs?|wss?)[ ]\d{4}-\d\d-\d\dT[0-9:.]+Z[ ]app/|"
    + load_balancers.with_member(
        "request_processing_time",
        "target_processing_time",
        "response_processing_time",
        "elb_status_code",
        "target_status_code",
        "target_group_arn",
        "matched_rule_priority",
        "request_creation_time",
        "actions_executed",
        "target_port_list",
        "classification_reason",
    ),
    times=("time",),
    places=("target_group_arn", "chosen_cert_arn"),
    columns=(
        keyword("type", "protocol of the connection: http, https, h2, grpcs, ws, wss"),
        time("time", "when the response was sent, or the WebSocket connection closed"),
        keyword("elb", "load balancer, app/name/id"),
        endpoint("client", "client"),
        endpoint("target", "target that processed the request; none for Lambda targets"),
        seconds("request_processing_time", "seconds from receiving the request to sending it on"),
        seconds("target_processing_time", "seconds from sending it to the target's first byte"),
        seconds("response_processing_time", "seconds from the response's arrival to sending it on"),
        integer("elb_status_code", "status code of the load balancer's response"),
        integer("target_status_code", "status code of the target's response"),
        long("received_bytes", "size of the request, in bytes"),
        long("sent_bytes", "size of the response, in bytes"),
        request("request", "request line"),
        text("user_agent", "client that made the request"),
        keyword("ssl_cipher", "TLS cipher"),
        keyword("ssl_protocol", "TLS protocol"),
        keyword("target_group_arn", "target group"),
        text("trace_id", "X-Amzn-Trace-Id header"),
        text("domain_name", "server name (SNI) that the client sent", since="2017"),
        text("chosen_cert_arn", "certificate shown, or session-reused", since="2017"),
        signed("matched_rule_priority", "rule: 0 the default, -1 none matched", since="2018-03"),
        timestamp("request_creation_time", "when the request arrived", since="2018-07"),
        items("actions_executed", "authenticate, forward, redirect, waf, …", since="2018-07"),
        text("redirect_url", "where a redirect action sent the client", since="2018-07"),
        text("error_reason", "why an action or the target failed", since="2018-07"),
        quotes_optional(
            items("target_port_list", "addresses of the targets", separator=" ", since="2019"),
            bare=r"[0-9A-Fa-f.:[\]]++",
        ),
        quotes_optional(
            items("target_status_code_list", "their status codes", separator=" ", since="2019"),
            bare=r"\d++",
        ),
        text("classification", "desync mitigation: Acceptable, Ambiguous, Severe", since="2020-08"),
        text("classification_reason", "why it is classified so", since="2020-08"),
        quotes_optional(
            text("conn_trace_id", "joins the requests of a connection", since="2023-11"),
            bare=WORD,
        ),
        text("transformed_host", "host header after rewriting", since="2025-10"),
        text("transformed_uri", "URI after rewriting", since="2025-10"),
        text("request_transform_status", "whether rewriting worked", since="2025-10"),
        ip("ip_address", "address of the load balancer node", since="2026"),
    ),
    json_names={"client_port": "client", "target_port": "target"},
    common={
        **load_balancers.COMMON_OF_REQUESTS,
        "network.protocol": "type",
        "destination.ip": "target_ip",
        "destination.port": "target_port",
        "http.server.request.duration": "target_processing_time",
        "tls.client.server_name": "domain_name",
        "error.code": "error_reason",
    },
    personal={
        "redirect_url": "URL",
        "transformed_uri": "URL",
        "conn_trace_id": "joins what one client did",
    },
    summary=Summary(
        by=("elb", "target_group_arn", "elb_status_code", "target_status_code", "request_verb"),
        sums=(
            "received_bytes",
            "sent_bytes",
            "request_processing_time",
            "target_processing_time",
            "response_processing_time",
        ),
    ),
)
