"""VPC flow logs: the header line says which fields there are, in which order."""

from servicelogs.formats import flow_logs
from servicelogs.parsing.format import Summary
from servicelogs.parsing.text.columns import epoch_seconds, integer, ip, keyword, long
from servicelogs.parsing.text.format import Header, TextFormat

DEFAULT = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes"
    " start end action log-status"
)

OTHERS = ("resource-type", r"tgw-\S+", r"packets-lost-\S+")
"""Patterns of the columns that flow logs of transit gateways alone have."""

COLUMNS = (
    integer("version", "highest version among the fields"),
    keyword("account-id", "account that owns the network interface"),
    keyword("interface-id", "network interface"),
    ip("srcaddr", "source address; of the interface, if the traffic leaves it"),
    ip("dstaddr", "destination address; of the interface, if the traffic comes to it"),
    integer("srcport", "source port"),
    integer("dstport", "destination port"),
    integer("protocol", "IANA protocol number"),
    long("packets", "packets in the window"),
    long("bytes", "bytes in the window"),
    epoch_seconds("start", "when the first packet of the window arrived"),
    epoch_seconds("end", "when the last packet of the window arrived"),
    keyword("action", "ACCEPT or REJECT"),
    keyword("log-status", "OK, NODATA (no traffic), SKIPDATA (records were lost)"),
    keyword("vpc-id", "VPC", since="version 3"),
    keyword("subnet-id", "subnet", since="version 3"),
    keyword("instance-id", "EC2 instance", since="version 3"),
    integer("tcp-flags", "bitmask: FIN 1, SYN 2, RST 4, SYN-ACK 18", since="version 3"),
    keyword("type", "IPv4, IPv6 or EFA", since="version 3"),
    ip("pkt-srcaddr", "source address of the packet itself", since="version 3"),
    ip("pkt-dstaddr", "destination address of the packet itself", since="version 3"),
    keyword("region", "Region of the interface", since="version 4"),
    keyword("az-id", "Availability Zone", since="version 4"),
    keyword("sublocation-type", "wavelength, outpost or localzone", since="version 4"),
    keyword("sublocation-id", "sublocation", since="version 4"),
    keyword("pkt-src-aws-service", "AWS service of the source address", since="version 5"),
    keyword("pkt-dst-aws-service", "AWS service of the destination address", since="version 5"),
    keyword("flow-direction", "ingress or egress", since="version 5"),
    integer("traffic-path", "way that egress traffic takes: 1 to 8", since="version 5"),
    keyword("ecs-cluster-arn", "ECS cluster", since="version 7"),
    keyword("ecs-cluster-name", "ECS cluster", since="version 7"),
    keyword("ecs-container-instance-arn", "ECS container instance", since="version 7"),
    keyword("ecs-container-instance-id", "ECS container instance", since="version 7"),
    keyword("ecs-container-id", "runtime id of the first container", since="version 7"),
    keyword("ecs-second-container-id", "runtime id of the second one", since="version 7"),
    keyword("ecs-service-name", "ECS service", since="version 7"),
    keyword("ecs-task-definition-arn", "ECS task definition", since="version 7"),
    keyword("ecs-task-arn", "ECS task", since="version 7"),
    keyword("ecs-task-id", "ECS task", since="version 7"),
    keyword("reject-reason", "why it was rejected: BPA or EC", since="version 8"),
    keyword("resource-id", "regional NAT gateway", since="version 9"),
    integer("encryption-status", "encryption in transit: 0 to 3", since="version 10"),
    keyword("instance-tag", "tag of the instance, percent-encoded", since="version 11"),
    keyword("instance-tag-2", "second tag of the instance", since="version 11"),
    keyword("interface-tag", "tag of the interface, percent-encoded", since="version 11"),
    keyword("interface-tag-2", "second tag of the interface", since="version 11"),
    keyword("asg-tag", "tag of the Auto Scaling group", since="version 11"),
    keyword("asg-tag-2", "second tag of the Auto Scaling group", since="version 11"),
    keyword("interface-type", "type of the interface", since="version 11"),
    keyword("next-hop-interface-id", "interface of the next hop", since="version 11"),
    keyword("next-hop-subnet-id", "subnet of the next hop", since="version 11"),
    keyword("next-hop-az-id", "Availability Zone of the next hop", since="version 11"),
    keyword("next-hop-vpc-id", "VPC of the next hop", since="version 11"),
    keyword("next-hop-interface-type", "interface type of the next hop", since="version 11"),
)

_NAMES = [column.name for column in COLUMNS]

FORMAT = TextFormat(
    name="vpc_flow",
    title="VPC flow logs",
    page="https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html",
    service_principal="delivery.logs.amazonaws.com",
    keys=flow_logs.KEYS,
    starts=flow_logs.header(_NAMES, OTHERS)
    + "|"
    + flow_logs.row(_NAMES, OTHERS)
    # Without a header: the default columns.
    + r"|\d+[ ](?:\d{12}|unknown)[ ](?:eni-[0-9a-f]+|-)[ ](?:\S+[ ]){10}"
    + r"(?:OK|NODATA|SKIPDATA)(?!\S)",
    header=Header(default=tuple(DEFAULT.split()), foreign=flow_logs.foreign(_NAMES, OTHERS)),
    option=flow_logs.OPTION,
    times=("start", "end"),
    places=("account-id", "region"),
    columns=COLUMNS,
    common={
        **flow_logs.COMMON,
        "cloud.instance.id": "instance_id",
        "event.action": "action",
        "cloud.resource_id": "interface_id",
    },
    personal={
        "dstaddr": "addresses",
        "pkt_srcaddr": "addresses",
        "pkt_dstaddr": "addresses",
    },
    summary=Summary(
        by=("vpc_id", "subnet_id", "protocol", "action", "flow_direction", "log_status"),
        sums=("packets", "bytes"),
    ),
)
