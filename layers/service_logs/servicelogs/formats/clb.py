"""Classic Load Balancer access logs."""

from servicelogs.formats import load_balancers
from servicelogs.parsing.format import Summary
from servicelogs.parsing.text.columns import (
    endpoint,
    integer,
    keyword,
    long,
    request,
    seconds,
    text,
    time,
)
from servicelogs.parsing.text.format import TextFormat

FORMAT = TextFormat(
    name="clb",
    title="Classic Load Balancer access logs",
    page="https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/access-log-collection.html",
    service_principal="logdelivery.elasticloadbalancing.amazonaws.com",
    keys=(
        (
            "AWSLogs/{account}/elasticloadbalancing/{region}/{day}"
            "/{account}_elasticloadbalancing_{region}_{load_balancer}_{minute}_{name}.log"
        ),
    ),
    # time, name of the load balancer, client and port, backend and port
    starts=r"\d{4}-\d\d-\d\dT[0-9:.]+Z[ ][0-9A-Za-z-]+[ ](?:\[?[0-9A-Fa-f:.]+\]?:\d+|-)[ ]"
    r"(?:\[?[0-9A-Fa-f:.]+\]?:\d+|-)[ ]-?\d",
    times=("timestamp",),
    columns=(
        time("timestamp", "when the request, or the connection of a TCP listener, arrived"),
        keyword("elb", "load balancer"),
        endpoint("client", "client"),
        endpoint("backend", "instance that processed the request"),
        seconds("request_processing_time", "seconds from receiving the request to sending it on"),
        seconds("backend_processing_time", "seconds from sending it to the instance's answer"),
        seconds("response_processing_time", "seconds from the answer's arrival to sending it on"),
        integer("elb_status_code", "status code of the load balancer's response"),
        integer("backend_status_code", "status code of the instance's response"),
        long("received_bytes", "size of the request, in bytes; headers count for TCP alone"),
        long("sent_bytes", "size of the response, in bytes; headers count for TCP alone"),
        request("request", "request line"),
        text("user_agent", "client that made the request", since="2014"),
        keyword("ssl_cipher", "TLS cipher", since="2014"),
        keyword("ssl_protocol", "TLS protocol", since="2014"),
    ),
    common={
        **load_balancers.COMMON_OF_REQUESTS,
        "destination.ip": "backend_ip",
        "destination.port": "backend_port",
        "http.server.request.duration": "backend_processing_time",
    },
    summary=Summary(
        by=("elb", "elb_status_code", "backend_status_code", "request_verb"),
        sums=(
            "received_bytes",
            "sent_bytes",
            "request_processing_time",
            "backend_processing_time",
            "response_processing_time",
        ),
    ),
)
