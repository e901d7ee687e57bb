"""A stack of an earlier version is updated in place: it keeps what it holds, and goes on."""

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from opensearchpy import OpenSearch

from local import deploy, sample_logs
from tests.end_to_end.conftest import Running
from tests.end_to_end.lake import LightEngine, Rows
from tests.end_to_end.stacks import Stacks, wait_for
from tests.upgrades.released import VERSIONS, unpack

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(600)]

RDS_GROUP, FLOW_GROUP = "/upgraded/rds/error", "/upgraded/flow-logs"
MESSAGE = "2026-11-20T08:14:5{}.123456Z 42 [Warning] [MY-010055] [Server] IP address not resolved"
REPLACED_AT_EACH_CHANGE = {
    # Each version has a content; a new one takes the place of the old.
    "AWS::Lambda::LayerVersion",
}
EVERY_SCENARIO = {
    "OpenSearchAuth": "none",
    "IndexPrefix": "upgraded",
    "IndexReplicas": "0",
    "IndexRefreshInterval": "1s",
    "TlsOnly": "false",
    "BatchingWindowSeconds": "1",
    "MaximumConcurrency": "2",
    "RdsLogGroupNames": RDS_GROUP,
    "BufferSeconds": "1",
    "StreamLogGroupNames": FLOW_GROUP,
    "StreamBatchingWindowSeconds": "0",
    "LightEngine": "true",
    "ConvertSchedule": '""',
    "CompactSchedule": '""',
    "ConvertConcurrency": "1",
    "StageConcurrency": "2",
}


@dataclass
class Upgraded:
    """A stack of an earlier version, and what it is after its update."""

    running: Running
    folder: Path
    version: str
    outputs: dict[str, str] = field(default_factory=dict)

    def deploy(self, template: Path) -> None:
        """Deploy a version under the one name."""
        aws = self.running.stack.aws_endpoint
        parameters = EVERY_SCENARIO | {
            "OpenSearchEndpoint": self.running.endpoint,
            "AwsEndpointUrl": aws,
        }
        deployment = self.running.local.deployment
        self.outputs = deployment.deploy_template(aws, template, self.name, parameters)

    @property
    def name(self) -> str:
        return f"from-{self.version.replace('.', '-')}"

    @cached_property
    def search(self) -> OpenSearch:
        return OpenSearch(self.running.stack.opensearch_endpoint, timeout=60)

    def client(self, service: str) -> Any:
        return deploy.client(service, self.running.stack.aws_endpoint)

    def engine(self) -> LightEngine:
        return LightEngine(replace(self.running.stack, outputs=self.outputs), self.folder)

    def physical_ids(self) -> dict[tuple[str, ...], str]:
        return Stacks(self.running.stack.aws_endpoint).physical_ids(self.name)

    def documents(self) -> dict[str, str]:
        """Give the index of each document, by its id."""
        self.search.indices.refresh(index="upgraded-*")
        found = self.search.search(index="upgraded-*", size=10_000, _source=False)
        return {one["_id"]: one["_index"] for one in found["hits"]["hits"]}

    def counts(self) -> Counter[str]:
        """Count the documents by log type."""
        self.search.indices.refresh(index="upgraded-*")
        types = {"types": {"terms": {"field": "log.type", "size": 100}}}
        found = self.search.search(index="upgraded-*", size=0, body={"aggs": types})
        buckets = found["aggregations"]["types"]["buckets"]
        return Counter({one["key"]: one["doc_count"] for one in buckets})

    def log(self, group: str, *messages: str) -> None:
        logs = self.client("logs")
        place = {"logGroupName": group, "logStreamName": f"stream-{len(messages)}"}
        logs.create_log_stream(**place)
        events = [
            {"timestamp": 1_795_162_495_000 + number, "message": message}
            for number, message in enumerate(messages)
        ]
        logs.put_log_events(**place, logEvents=events)

    def layers(self) -> set[str]:
        """Give the versions of layers that this stack has made."""
        return {
            its_id
            for (kind, *_), its_id in self.physical_ids().items()
            if kind == "AWS::Lambda::LayerVersion"
        }

    def all_layers(self) -> set[str]:
        """Give the versions of layers that there are, whoever made them."""
        aws = self.client("lambda")
        return {
            version["LayerVersionArn"]
            for layer in aws.list_layers()["Layers"]
            for version in aws.list_layer_versions(LayerName=layer["LayerName"])["LayerVersions"]
        }


def in_columns_of(earlier: Rows, rows: Rows) -> Rows:
    """Give rows without the columns that have come since: they are behind the others."""
    width = len(next(iter(earlier)))
    found: Rows = Counter()
    for row, count in rows.items():
        found[row[:width]] += count
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_a_stack_of_an_earlier_version_is_updated_in_place_and_keeps_what_it_holds(
    version: str, whole: Running, tmp_path: Path
) -> None:
    stack = Upgraded(whole, tmp_path, version)
    stack.deploy(unpack(version, tmp_path / version) / "template.yaml")
    flow = sample_logs.generate("vpc_flow", 50).decode().splitlines()[1:]
    before = stack.engine().deliver("alb")
    alb = before.records["alb"] - before.rejected["alb"]
    stack.log(FLOW_GROUP, *flow[:20])
    stack.log(RDS_GROUP, MESSAGE.format(1))
    wait_for(stack.counts, {"alb": alb, "vpc_flow": 20, "rds": 1})
    stack.engine().convert()
    documents, rows = stack.documents(), stack.engine().rows(before)
    ids, layers = stack.physical_ids(), stack.layers()
    assert layers <= stack.all_layers()
    assert stack.engine().counts(before) == {"alb": alb}

    stack.deploy(whole.local.deployment.built())

    kept = {one: its_id for one, its_id in ids.items() if one[0] not in REPLACED_AT_EACH_CHANGE}
    now = stack.physical_ids()
    assert {one: its_id for one, its_id in kept.items() if now.get(one) != its_id} == {}
    assert stack.layers() <= stack.all_layers()
    assert not (layers - stack.layers()) & stack.all_layers()
    assert stack.documents() == documents
    assert stack.engine().rows(before) == rows
    # What is delivered again is there already; what is new comes beside it.
    for sample in before.samples:
        stack.engine().put(before.folder + sample.key, sample.data)
    after = stack.engine().deliver("alb")
    stack.log(FLOW_GROUP, *flow[20:])
    stack.log(RDS_GROUP, MESSAGE.format(2), MESSAGE.format(3))
    wait_for(stack.counts, {"alb": 2 * alb, "vpc_flow": len(flow), "rds": 3})
    stack.engine().convert()
    assert stack.documents().items() >= documents.items()
    for delivery in (before, after):
        assert in_columns_of(rows, stack.engine().rows(delivery)) == rows
    assert stack.engine().rejected(before) == before.rejected
