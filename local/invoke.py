"""What `sam local invoke` needs of a running stack: its endpoints, and the events' objects."""

import json
from urllib.parse import urlsplit

from local import ROOT, deploy, emulated_aws, relay, sample_events
from local.processes import LOOPBACK, Processes
from local.stack import Stack

ENVIRONMENT = ROOT / "local" / "env.json"


def prepare(processes: Processes, stack: Stack) -> None:
    """Make every event of events/ one that a function in a container can carry out."""
    of_member = deploy.client("s3", stack.aws_endpoint, emulated_aws.MEMBER)
    sample_events.put_objects(deploy.client("s3", stack.aws_endpoint), of_member)
    sample_events.let_read(of_member, emulated_aws.ACCOUNT)
    host = relay.bridge()
    if host:
        urls = (stack.aws_endpoint, stack.opensearch_endpoint)
        relay.start(processes, host, [port for url in urls if (port := urlsplit(url).port)])
    settings = {"Parameters": environment(stack, host or relay.DOCKER_DESKTOP)}
    ENVIRONMENT.write_text(json.dumps(settings, indent=2) + "\n")


def environment(stack: Stack, host: str) -> dict[str, str]:
    """Say what a function must know of the stack, with addresses that a container reaches."""
    *_, account, queue = stack.outputs["QueueUrl"].split("/")
    return {
        "AWS_ENDPOINT_URL": stack.aws_endpoint.replace(LOOPBACK, host),
        "OPENSEARCH_ENDPOINT": stack.opensearch_endpoint.replace(LOOPBACK, host),
        "OPENSEARCH_AUTH": "none",
        "ACCOUNT_ID": emulated_aws.ACCOUNT,
        "MEMBER_ACCOUNT_IDS": emulated_aws.MEMBER,
        "BACKUP_BUCKET": stack.outputs["BackupBucketName"],
        "LOG_BUCKET": sample_events.BUCKET,
        "OPENSEARCH_QUEUE_ARN": f"arn:aws:sqs:{emulated_aws.REGION}:{account}:{queue}",
        "QUEUE_URL": stack.outputs["QueueUrl"].replace(LOOPBACK, host),
        "PARQUET_QUEUE_URL": stack.outputs["ParquetQueueUrl"].replace(LOOPBACK, host),
    }
