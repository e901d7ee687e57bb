"""What the functions do that write to the search engine, tried without their rights."""

from __future__ import annotations

import gzip
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any

from opensearchpy import OpenSearch

from local import deploy, emulated_aws, sample_logs
from local.sample_logs.parquet import parquet
from servicelogs.delivery.rejects import file_key
from servicelogs.opensearch.client import connect
from servicelogs.opensearch.expiry import delete_expired
from servicelogs.settings import IndexSettings, SearchSettings
from servicelogs.sources.event_notifications import ObjectToRead
from servicelogs.sources.s3_objects import open_object
from tests.end_to_end.processes import environment
from tests.end_to_end.rights import Role
from tests.end_to_end.trials import Account, Step
from tests.sources.envelopes import CONTROL, FIRST_TIME, envelope, event
from tests.sources.stream_events import compressed, stream_record

S3, STREAM = "S3ToOpenSearch", "StreamToOpenSearch"
DAY = "2026-11-17"
"""The day of the documents that the engine is made to refuse: no other test has any of it."""
FLOW_FIELDS = "version account-id interface-id srcaddr dstaddr start end action log-status"
TIMELESS = FLOW_FIELDS.replace("start end ", "")


class Search:
    """The functions, and an engine that refuses the documents of a day."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.bucket = account.outputs["LogBucketName"]
        self.engine = OpenSearch(account.running.stack.opensearch_endpoint, timeout=60)

    def put(self, key: str, data: bytes) -> str:
        """Put an object into the log bucket, under a folder of its own; give its key."""
        key = f"{uuid.uuid4().hex[:8]}/{key}"
        self.account.s3.put_object(Bucket=self.bucket, Key=key, Body=data)
        return key

    def index(self, function: str, *keys: str) -> None:
        """Have a function index objects."""
        self.account.invoke(S3, function, {"Records": [self._message(*keys)]})

    def index_members(self, function: str, wanted: str) -> None:
        """Have a function index an object of another account, as a message of our own names it."""
        self.account.invoke(S3, function, {"Records": [message(wanted)]})

    def _message(self, *keys: str, count: int = 1) -> dict[str, Any]:
        where = [{"bucket": {"name": self.bucket}, "object": {"key": key}} for key in keys]
        told = [
            {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": one} for one in where
        ]
        return message(json.dumps({"Records": told}), count)

    def index_one_of_two(self, function: str, key: str) -> None:
        """Have a function index an object, and fail at a message that came before."""
        records = [self._message(key), message("no notification", 2)]
        answer = self.account.invoke(S3, function, {"Records": records})
        assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == ["no notification"]

    def leave_rejects(self, key: str, log_type: str) -> None:
        """Leave what an earlier attempt said of an object, one of whose records it rejected."""
        source = open_object(self.account.s3, ObjectToRead(self.bucket, key)).source
        self.account.s3.put_object(
            Bucket=self.account.outputs["BackupBucketName"],
            Key=file_key(source, log_type, 1),
            Body=gzip.compress(b'{"record_number":1}\n'),
        )

    @contextmanager
    def refusing(self, *log_types: str) -> Iterator[None]:
        """Have the engine refuse the documents of a day."""
        names = [
            f"aws-{log_type.replace('_', '-')}-{DAY.replace('-', '.')}" for log_type in log_types
        ]
        refusing = {
            "properties": {"elb_status_code": {"type": "boolean"}, "action": {"type": "long"}}
        }
        for name in names:
            self.engine.indices.create(index=name, body={"mappings": refusing})
        try:
            yield
        finally:
            for name in names:
                self.engine.indices.delete(index=name)


def message(body: str, count: int = 1) -> dict[str, Any]:
    """Make a record of a queue's event."""
    return {
        "messageId": body[:20],
        "receiptHandle": "of a trial",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(count)},
        "eventSource": "aws:sqs",
    }


def members_object(account: Account, key: str, data: bytes) -> str:
    """Put an object into the member's log bucket; give the message that has it read."""
    bucket, owner = account.running.stack.member["LogBucketName"], emulated_aws.MEMBER
    key = f"{uuid.uuid4().hex[:8]}/{key}"
    s3 = deploy.client("s3", account.endpoint, owner)
    s3.put_object(Bucket=bucket, Key=key, Body=data)
    where = {"bucket": bucket, "key": key}
    return json.dumps({**where, "account": owner, "region": emulated_aws.REGION})


def _milliseconds(day: str) -> int:
    return int(datetime.fromisoformat(f"{day}T12:00:00Z").timestamp() * 1000)


def flows(day: str = "2026-11-20", fields: str = FLOW_FIELDS) -> str:
    """Write a flow log of a day."""
    start = _milliseconds(day) // 1000
    line = f"2 111122223333 eni-0a1b 192.0.2.1 192.0.2.2 {start} {start + 59} ACCEPT OK"
    values = dict(zip(FLOW_FIELDS.split(), line.split(), strict=True))
    return f"{fields}\n{' '.join(values[name] for name in fields.split())}\n"


def of_index(search: Search) -> list[Step]:
    """Say what the function for text does."""
    alb = next(one for one in sample_logs.objects() if one.format == "alb" and one.rejected)
    line = sample_logs.generate("alb", 1)
    index = partial(search.index, "IndexFunction")
    without_rejects = search.put(alb.key, gzip.compress(line))
    refused = search.put(alb.key, gzip.compress(line.replace(b"2026-11-20T", DAY.encode() + b"T")))
    without_time = search.put("flow.log", flows(fields=TIMELESS).encode())

    def take_back() -> None:
        search.leave_rejects(without_rejects, "alb")
        index(without_rejects)

    return [
        Step(
            "indexes an object, and keeps what it rejects",
            partial(index, search.put(alb.key, alb.data)),
        ),
        Step("removes what was rejected before", take_back),
        Step("looks for what the engine refuses", partial(index, refused)),
        Step("looks for records without a time", partial(index, without_time)),
        Step(
            "indexes another account's object",
            partial(
                search.index_members,
                "IndexFunction",
                members_object(search.account, alb.key, alb.data),
            ),
        ),
        Step("hands Parquet on", partial(index, search.put("flow.parquet", b"PAR1"))),
        Step(
            "works messages that came before by themselves",
            partial(search.index_one_of_two, "IndexFunction", without_rejects),
        ),
    ]


def of_index_parquet(search: Search) -> list[Step]:
    """Say what the function for Parquet files does."""
    index = partial(search.index, "IndexParquetFunction")
    file = parquet(flows())
    good = search.put("flow.parquet", file)
    refused = search.put("flow.parquet", parquet(flows(DAY)))
    without_time = search.put("flow.parquet", parquet(flows(fields=TIMELESS)))
    hostile = search.put("flow.parquet", b"PAR1" + b"\xff" * 200 + b"\xff\xff\xff\x7fPAR1")

    def take_back() -> None:
        search.leave_rejects(good, "vpc_flow")
        index(good)

    return [
        Step("indexes an object", partial(index, good)),
        Step(
            "indexes another account's object",
            partial(
                search.index_members,
                "IndexParquetFunction",
                members_object(search.account, "flow.parquet", file),
            ),
        ),
        Step("keeps what it rejects", partial(index, hostile)),
        Step("removes what was rejected before", take_back),
        Step("looks for what the engine refuses", partial(index, refused)),
        Step("looks for records without a time", partial(index, without_time)),
        Step(
            "works messages that came before by themselves",
            partial(search.index_one_of_two, "IndexParquetFunction", good),
        ),
    ]


def of_index_stream(search: Search) -> list[Step]:
    """Say what the function for a stream does, and what Lambda does for it."""
    account, shard = search.account, f"shardId-{uuid.uuid4().hex[:12]}"
    role = account.role(STREAM, "IndexStreamFunctionRole")

    def index(*data: bytes) -> None:
        records = [stream_record(one, n, shard=shard) for n, one in enumerate(data)]
        account.invoke(STREAM, "IndexStreamFunction", {"Records": records})

    def line(day: str = "2026-11-20") -> str:
        start = _milliseconds(day) // 1000
        return f"2 111122223333 eni-0a1b 192.0.2.1 192.0.2.2 1 2 6 12 99 {start} {start} ACCEPT OK"

    def events(*messages: str | dict[str, Any]) -> bytes:
        return compressed(envelope(*messages))

    # Then its delivery dates it.
    in_some_days = event(1, line(), timestamp=FIRST_TIME + 5 * 86_400_000)
    refused = event(1, line(DAY), timestamp=_milliseconds(DAY))
    return [
        Step("keeps what it rejects", partial(index, events(line(), "2 cut"))),
        Step("removes what was rejected before", partial(index, events(line()))),
        Step("looks for what the engine refuses", partial(index, events(refused))),
        Step("looks for records without a time", partial(index, events(in_some_days))),
        Step("keeps what became too old", partial(_let_records_become_old, account, role), True),
    ]


def _let_records_become_old(account: Account, role: Role) -> None:
    name = account.id(STREAM, "IndexStreamFunction")
    (mapping,) = account.functions.list_event_source_mappings(FunctionName=name)[
        "EventSourceMappings"
    ]
    change = partial(account.functions.update_event_source_mapping, UUID=mapping["UUID"])
    where = {
        "Bucket": account.outputs["BackupBucketName"],
        "Prefix": f"aws/lambda/{mapping['UUID']}/",
    }
    before = account.s3.list_objects_v2(**where)["KeyCount"]
    change(MaximumRecordAgeInSeconds=1, Enabled=False)
    account.client("kinesis").put_record(
        StreamName=account.outputs["StreamName"],
        Data=compressed(CONTROL),
        PartitionKey="1",
    )
    time.sleep(1.2)
    change(Enabled=True)
    try:
        account.wait_for(role, lambda: account.s3.list_objects_v2(**where)["KeyCount"] > before)
    finally:
        change(MaximumRecordAgeInSeconds=mapping["MaximumRecordAgeInSeconds"])
    # Other tests look for what they let become old.
    for kept in account.s3.list_objects_v2(**where)["Contents"]:
        account.s3.delete_object(Bucket=where["Bucket"], Key=kept["Key"])


def of_set_up(search: Search, scenario: str) -> list[Step]:
    """Say what the function that sets up the engine does."""
    account = search.account
    name = account.id(scenario, "SetUpFunction")
    roles = ("IndexingRoleArns", "SetUpRoleArns", "DeletingRoleArns")
    access = {"MasterSecretArn": "", "Name": "of-a-trial", **{key: [] for key in roles}}
    asked = {"ResourceProperties": {"Access": access}}

    def wait_for_an_engine() -> None:
        nowhere = {"OPENSEARCH_ENDPOINT": "http://127.0.0.1:9"}
        account.functions.update_function_configuration(FunctionName=name, Timeout=30)
        try:
            with environment(account.endpoint, name, **nowhere):
                account.invoke(scenario, "SetUpFunction", account.request("Create", **asked))
        finally:
            account.functions.update_function_configuration(FunctionName=name, Timeout=300)

    # As if it had waited for long: a right that it lacks is not one that takes a while to be known.
    ask = partial(account.ask, scenario, "SetUpFunction", "Create", Began=0, **asked)
    return [
        Step("sets the engine up", ask),
        Step("waits for an engine", wait_for_an_engine),
    ]


def delete_expired_indexes(search: Search) -> None:
    """Delete an index that is past its retention, as the function does that has no role here."""
    client = connect(SearchSettings(endpoint=search.account.running.endpoint, auth="none"))
    search.engine.indices.create(index="aws-tgw-flow-2001.01.01")
    settings = IndexSettings(delete_after_days={"": 1000})
    assert delete_expired(client, settings, ["tgw_flow"]).deleted == ["aws-tgw-flow-2001.01.01"]
