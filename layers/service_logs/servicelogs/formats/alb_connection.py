"""Application Load Balancer connection logs: TLS handshakes and client certificates."""

from servicelogs.formats import load_balancers
from servicelogs.parsing.format import Summary
from servicelogs.parsing.text.columns import (
    CIPHER,
    TLS_VERSION,
    WORD,
    Form,
    integer,
    ip,
    keyword,
    quotes_optional,
    seconds,
    text,
    time,
    validity,
)
from servicelogs.parsing.text.format import TextFormat

FORMAT = TextFormat(
    name="alb_connection",
    title="Application Load Balancer connection logs",
    page="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-connection-logs.html",
    service_principal="logdelivery.elasticloadbalancing.amazonaws.com",
    keys=(
        (
            "AWSLogs/{account}/elasticloadbalancing/{region}/{day}"
            "/conn_log_{account}_elasticloadbalancing_{region}_app.{name}_{minute}_{name}.log"
        ),
        *load_balancers.DELIVERIES,
    ),
    # time, client's address and port, listener's port, protocol
    starts=r"\d{4}-\d\d-\d\dT[0-9:.]+Z[ ][0-9A-Fa-f:.]+[ ]\d+[ ]\d+[ ](?:TLS|SSL|-[ ])|"
    + load_balancers.with_member(
        "listener_port", "tls_handshake_latency", "leaf_client_cert_subject", "tls_verify_status"
    ),
    times=("timestamp",),
    columns=(
        time("timestamp", "when the connection was established, or failed to be"),
        ip("client_ip", "address of the client"),
        integer("client_port", "port of the client"),
        integer("listener_port", "port of the listener"),
        keyword("tls_protocol", "TLS protocol; none on a connection without TLS", form=TLS_VERSION),
        keyword("tls_cipher", "TLS cipher", form=CIPHER),
        seconds("tls_handshake_latency", "seconds that a successful handshake took"),
        text("leaf_client_cert_subject", "subject of the client's certificate, with mutual TLS"),
        validity("leaf_client_cert_validity", "client's certificate"),
        keyword(
            "leaf_client_cert_serial_number",
            "serial number of the client's certificate",
            form=Form("[0-9A-Fa-f:]++", "a serial number in hexadecimal digits"),
        ),
        keyword(
            "tls_verify_status",
            "Success, or Failed: and why, as Failed:ClientCertUntrusted",
            form=Form("[A-Z][A-Za-z]*+(?::[0-9A-Za-z_]++)?", "Success, or Failed and why"),
        ),
        quotes_optional(
            text(
                "conn_trace_id",
                "joins the connection to its requests in the access logs",
                since="2024",
            ),
            bare=WORD,
        ),
        keyword("tls_keyexchange", "key exchange, classical or post-quantum", since="2025"),
        keyword("elb", "load balancer, app/name/id", since="2026"),
        ip("ip_address", "address of the load balancer node", since="2026"),
    ),
    json_names={"time": "timestamp"},
    common={
        **load_balancers.COMMON,
        "source.ip": "client_ip",
        "source.port": "client_port",
        "destination.port": "listener_port",
        "tls.version": "tls_protocol",
        "tls.cipher": "tls_cipher",
        "tls.client.subject": "leaf_client_cert_subject",
        "tls.client.not_before": "leaf_client_cert_not_before",
        "tls.client.not_after": "leaf_client_cert_not_after",
        "event.outcome": "tls_verify_status",
    },
    personal={
        "leaf_client_cert_serial_number": "certificate of the client",
        "conn_trace_id": "joins what one client did",
    },
    summary=Summary(
        by=("elb", "listener_port", "tls_protocol", "tls_cipher", "tls_verify_status"),
        sums=("tls_handshake_latency",),
    ),
)
