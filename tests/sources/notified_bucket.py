"""A bucket whose notifications are configured: queues, entries, requests."""

import boto3
from botocore.exceptions import ClientError

ID = "service-logs-0123456789ab"
BUCKET = "log-archive"


def make_bucket():
    """Make the bucket in the emulated AWS; return the client."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    return s3


def make_queue(name):
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return attributes["Attributes"]["QueueArn"]


def entry(prefix="", suffix="", events=("s3:ObjectCreated:*",), own_id="theirs", arn="arn:q"):
    rules = [{"Name": n, "Value": v} for n, v in (("prefix", prefix), ("suffix", suffix)) if v]
    made = {"Id": own_id, "QueueArn": arn, "Events": list(events)}
    return made | ({"Filter": {"Key": {"FilterRules": rules}}} if rules else {})


def request(kind, **properties):
    return {
        "RequestType": kind,
        "ResourceProperties": {"ServiceToken": "arn:f", "BucketName": BUCKET, **properties},
    }


class Forbidden:
    """S3 on a bucket that is another account's, or whose policy denies: it shows nothing."""

    def get_bucket_policy(self, **_):
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "Get")

    get_bucket_notification_configuration = get_bucket_policy
