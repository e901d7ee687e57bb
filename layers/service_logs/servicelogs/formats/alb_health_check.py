"""Application Load Balancer health check logs: each check of each target, and why one failed."""

from servicelogs.formats import load_balancers
from servicelogs.parsing.format import Summary
from servicelogs.parsing.text.columns import endpoint_or_name, integer, ip, keyword, seconds, time
from servicelogs.parsing.text.format import TextFormat

FORMAT = TextFormat(
    name="alb_health_check",
    title="Application Load Balancer health check logs",
    page="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-health-check-logs.html",
    service_principal="logdelivery.elasticloadbalancing.amazonaws.com",
    keys=(
        (
            "AWSLogs/{account}/elasticloadbalancing/{region}/{day}"
            "/health_check_log_{account}_elasticloadbalancing_{region}_app.{name}_{minute}_{name}"
            ".log"
        ),
        *load_balancers.DELIVERIES,
    ),
    starts=r"(?:https?|h2|grpcs?|lambda)[ ]\d{4}-\d\d-\d\dT[0-9:.]+Z[ ](?:\d[0-9.]*|-)[ ]\S+[ ]\S+"
    r"[ ](?:PASS|FAIL)[ ]|"
    + load_balancers.with_member("target_addr", "target_group_id", "reason_code"),
    times=("time",),
    columns=(
        keyword("type", "what was checked with: http, https, h2, grpc, lambda"),
        time("time", "when the check began"),
        seconds("latency", "seconds that the check took"),
        endpoint_or_name("target_addr", "target", "ip:port, or the ARN of a Lambda function"),
        keyword("target_group_id", "name of the target group"),
        keyword("status", "PASS or FAIL"),
        integer("status_code", "status code that the target answered with"),
        keyword("reason_code", "why it failed: TimedOut, ResponseCodeMismatch, TargetError, …"),
        keyword("elb", "load balancer, app/name/id", since="2026"),
        ip("ip_address", "address of the load balancer node", since="2026"),
    ),
    common={
        **load_balancers.COMMON,
        "destination.ip": "target_ip",
        "destination.port": "target_port",
        "http.response.status_code": "status_code",
        "http.server.request.duration": "latency",
        "event.outcome": "status",
        "error.code": "reason_code",
    },
    summary=Summary(
        by=("elb", "target_group_id", "status", "status_code", "reason_code"),
        sums=("latency",),
    ),
)
