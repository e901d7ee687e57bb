"""Network Load Balancer access logs: the connections of its TLS listeners."""

from servicelogs.formats import load_balancers
from servicelogs.parsing.format import Summary
from servicelogs.parsing.text.columns import (
    Form,
    decoded,
    endpoint,
    integer,
    json_items,
    keyword,
    long,
    quoted_items,
    time,
    timestamp_in_utc,
)
from servicelogs.parsing.text.format import TextFormat

_PROTOCOL = Form("h[0-9]c?|[a-z]++/[0-9.]++", "a protocol, as h2 or http/1.1")
"""It stands behind the client's name for the server."""
_ALPN = (
    "alpn_client_preference_list",
    "protocols that the client prefers; AWS cuts the list at 256 bytes",
)

FORMAT = TextFormat(
    name="nlb",
    title="Network Load Balancer access logs",
    page="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-access-logs.html",
    service_principal="delivery.logs.amazonaws.com",
    keys=(
        (
            "AWSLogs/{account}/elasticloadbalancing/{region}/{day}"
            "/{account}_elasticloadbalancing_{region}_net.{name}_{minute}_{name}.log"
        ),
        *load_balancers.DELIVERIES,
    ),
    starts=r"tls[ ]\d+\.\d+[ ]\d{4}-\d\d-\d\dT[0-9:.]+Z?[ ]net/|"
    + load_balancers.with_member(
        "listener",
        "destination_port",
        "connection_time",
        "tls_handshake_time",
        "incoming_tls_alert",
        "tls_protocol_version",
        "alpn_client_preference_list",
        "tls_connection_creation_time",
    ),
    times=("time",),
    places=("chosen_cert_arn",),
    columns=(
        keyword("type", "type of the listener: tls"),
        keyword("version", "version of the entry: 2.0, before 2020 1.0"),
        time("time", "when the connection ended"),
        keyword("elb", "load balancer, net/name/id"),
        keyword("listener", "id of the TLS listener"),
        endpoint("client", "client"),
        endpoint("destination", "listener, or the VPC endpoint that the client connected to"),
        long("connection_time", "milliseconds from start to end of the connection"),
        long("tls_handshake_time", "milliseconds that the TLS handshake took"),
        long("received_bytes", "bytes from the client, decrypted"),
        long("sent_bytes", "bytes to the client, before encryption"),
        integer("incoming_tls_alert", "TLS alert that the client sent"),
        keyword("chosen_cert_arn", "certificate shown to the client"),
        keyword("chosen_cert_serial", "reserved by AWS"),
        keyword("tls_cipher", "TLS cipher"),
        keyword("tls_protocol_version", "TLS protocol: tlsv10, tlsv11, tlsv12, tlsv13"),
        keyword("tls_keyexchange", "key exchange, classical or post-quantum"),
        decoded("domain_name", "server name (SNI) that the client sent"),
        keyword(
            "alpn_fe_protocol",
            "protocol agreed with the client",
            since="version 2.0",
            form=_PROTOCOL,
        ),
        keyword(
            "alpn_be_protocol",
            "protocol agreed with the target",
            since="version 2.0",
            form=_PROTOCOL,
        ),
        quoted_items(*_ALPN, since="version 2.0"),
        timestamp_in_utc(
            "tls_connection_creation_time",
            "when the connection began",
            since="version 2.0, later",
        ),
    ),
    json_names={
        "client_port": "client",
        "destination_port": "destination",
        "alpn_client_preference_list": json_items(*_ALPN, since="version 2.0"),
    },
    common={
        **load_balancers.COMMON,
        "source.ip": "client_ip",
        "source.port": "client_port",
        "source.bytes": "received_bytes",
        "destination.bytes": "sent_bytes",
        "destination.ip": "destination_ip",
        "destination.port": "destination_port",
        "network.protocol": "alpn_fe_protocol",
        "tls.cipher": "tls_cipher",
        "tls.version": "tls_protocol_version",
        "tls.client.server_name": "domain_name",
        "event.duration_ms": "connection_time",
        "event.start": "tls_connection_creation_time",
    },
    summary=Summary(
        by=("elb", "listener", "tls_protocol_version", "tls_cipher", "incoming_tls_alert"),
        sums=("received_bytes", "sent_bytes", "connection_time", "tls_handshake_time"),
    ),
)
