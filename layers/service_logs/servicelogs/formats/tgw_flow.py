"""Transit Gateway flow logs: the header line says which fields there are, in which order."""

from servicelogs.formats import flow_logs, vpc_flow
from servicelogs.parsing.format import Summary
from servicelogs.parsing.text.columns import epoch_seconds, integer, ip, keyword, long
from servicelogs.parsing.text.format import Header, TextFormat

DEFAULT = (
    "version resource-type account-id tgw-id tgw-attachment-id tgw-src-vpc-account-id"
    " tgw-dst-vpc-account-id tgw-src-vpc-id tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id"
    " tgw-src-eni tgw-dst-eni tgw-src-az-id tgw-dst-az-id tgw-pair-attachment-id srcaddr dstaddr"
    " srcport dstport protocol packets bytes start end log-status type packets-lost-no-route"
    " packets-lost-blackhole packets-lost-mtu-exceeded packets-lost-ttl-expired tcp-flags region"
    " flow-direction pkt-src-aws-service pkt-dst-aws-service"
)

COLUMNS = (
    integer("version", "highest version among the fields"),
    keyword("resource-type", "TransitGateway or TransitGatewayAttachment", since="version 6"),
    keyword("account-id", "account that owns the source transit gateway"),
    keyword("tgw-id", "transit gateway", since="version 6"),
    keyword("tgw-attachment-id", "attachment that was recorded", since="version 6"),
    keyword("tgw-src-vpc-account-id", "account of the source VPC", since="version 6"),
    keyword("tgw-dst-vpc-account-id", "account of the destination VPC", since="version 6"),
    keyword("tgw-src-vpc-id", "source VPC", since="version 6"),
    keyword("tgw-dst-vpc-id", "destination VPC", since="version 6"),
    keyword("tgw-src-subnet-id", "source subnet", since="version 6"),
    keyword("tgw-dst-subnet-id", "destination subnet", since="version 6"),
    keyword("tgw-src-eni", "interface of the source attachment", since="version 6"),
    keyword("tgw-dst-eni", "interface of the destination attachment", since="version 6"),
    keyword("tgw-src-az-id", "Availability Zone of the source", since="version 6"),
    keyword("tgw-dst-az-id", "Availability Zone of the destination", since="version 6"),
    keyword("tgw-pair-attachment-id", "attachment at the flow's other end", since="version 6"),
    ip("srcaddr", "source address"),
    ip("dstaddr", "destination address"),
    integer("srcport", "source port"),
    integer("dstport", "destination port"),
    integer("protocol", "IANA protocol number"),
    long("packets", "packets in the window"),
    long("bytes", "bytes in the window"),
    epoch_seconds("start", "when the first packet of the window arrived"),
    epoch_seconds("end", "when the last packet of the window arrived"),
    keyword("log-status", "OK, NODATA (no traffic), SKIPDATA (records were lost)"),
    keyword("type", "IPv4, IPv6 or EFA", since="version 3"),
    long("packets-lost-no-route", "packets lost for want of a route", since="version 6"),
    long("packets-lost-blackhole", "packets lost to a blackhole route", since="version 6"),
    long("packets-lost-mtu-exceeded", "packets lost for their size", since="version 6"),
    long("packets-lost-ttl-expired", "packets lost for their time to live", since="version 6"),
    integer("tcp-flags", "bitmask: FIN 1, SYN 2, RST 4, SYN-ACK 18", since="version 3"),
    keyword("region", "Region of the transit gateway", since="version 4"),
    keyword("flow-direction", "ingress or egress", since="version 5"),
    keyword("pkt-src-aws-service", "AWS service of the source address", since="version 5"),
    keyword("pkt-dst-aws-service", "AWS service of the destination address", since="version 5"),
)

_NAMES = [column.name for column in COLUMNS]
_OTHERS = [column.name for column in vpc_flow.COLUMNS]

FORMAT = TextFormat(
    name="tgw_flow",
    title="Transit Gateway flow logs",
    page="https://docs.aws.amazon.com/vpc/latest/tgw/tgw-flow-logs.html",
    service_principal="delivery.logs.amazonaws.com",
    keys=flow_logs.KEYS,
    starts=flow_logs.header(_NAMES, _OTHERS)
    + "|"
    + flow_logs.row(_NAMES, _OTHERS)
    # Without a header: the default columns.
    + r"|\d+[ ]+TransitGateway(?:Attachment)?[ ]",
    header=Header(default=tuple(DEFAULT.split()), foreign=flow_logs.foreign(_NAMES, _OTHERS)),
    option=flow_logs.OPTION,
    times=("start", "end"),
    places=("account-id", "region"),
    columns=COLUMNS,
    common={**flow_logs.COMMON, "cloud.resource_id": "tgw_id"},
    personal={
        "dstaddr": "addresses",
    },
    summary=Summary(
        by=("tgw_id", "tgw_attachment_id", "protocol", "flow_direction", "log_status"),
        sums=(
            "packets",
            "bytes",
            "packets_lost_no_route",
            "packets_lost_blackhole",
            "packets_lost_mtu_exceeded",
            "packets_lost_ttl_expired",
        ),
    ),
)
