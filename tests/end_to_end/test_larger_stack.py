"""Somebody's application with scenarios inside, from a packaged template in a bucket, twice.

It is built with what the whole stack has built already, deployed by the template's address, sends
its logs, and is torn down.
"""

import json
import platform
from typing import Any

import pytest
from opensearchpy import OpenSearch

from local import deploy, sample_logs
from local.deploy import ARCHITECTURES, Deployment
from tests.end_to_end.conftest import Running
from tests.end_to_end.stacks import Stacks, wait_for

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(600)]

EXAMPLE = "examples/larger_stack/template.yaml"
BUCKET = "packages-of-others"
NAMES = ("shop", "shop-too")
# A stage of an API, and what the setup calls its work.
NAMED_WITHIN_THEIR_STACK = {"AWS::ApiGatewayV2::Stage", "Custom::SearchEngine"}


@pytest.fixture(scope="module")
def template_url(whole: Running, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Build and package the example; give the address of its template."""
    local, aws = whole.local, whole.stack.aws_endpoint
    state = local.endpoints.parent
    example = Deployment(local.processes, state, template=EXAMPLE, build="larger-stack")
    example.start_build()
    example.finish_build()
    s3 = deploy.client("s3", aws)
    s3.create_bucket(Bucket=BUCKET)
    packaged = tmp_path_factory.mktemp("packaged") / "packaged.yaml"
    example.package(aws, BUCKET, packaged)
    s3.upload_file(str(packaged), BUCKET, "larger-stack/packaged.yaml")
    return f"{aws}/{BUCKET}/larger-stack/packaged.yaml"


class Shop:
    """One instance of the application."""

    def __init__(self, whole: Running, name: str, template_url: str) -> None:
        self.name, self.aws = name, whole.stack.aws_endpoint
        self.stacks = Stacks(self.aws)
        self.search = OpenSearch(whole.stack.opensearch_endpoint, timeout=60)
        self.outputs = self.stacks.create(
            name,
            template_url,
            DomainEndpoint=whole.endpoint,
            IndexPrefix=name,
            TlsOnly="false",
            AwsEndpointUrl=self.aws,
            Architecture=ARCHITECTURES.get(platform.machine(), "x86_64"),
        )

    def order(self, what: str) -> str:
        """Order something, and give the order's id.

        As its API asks the function: of an API, the emulator reads no routes of a definition.
        """
        request = {"version": "2.0", "body": json.dumps({"order": what})}
        answer = deploy.client("lambda", self.aws).invoke(
            FunctionName=self.outputs["OrderFunctionName"], Payload=json.dumps(request)
        )
        said = json.load(answer["Payload"])
        assert said["statusCode"] == 201, said
        return str(json.loads(said["body"])["order"])

    def found(self, **terms: str) -> list[dict[str, Any]]:
        """Search its own indexes."""
        query = {"bool": {"filter": [{"term": {name: value}} for name, value in terms.items()]}}
        self.search.indices.refresh(index=f"{self.name}-*")
        answer = self.search.search(index=f"{self.name}-*", body={"query": query, "size": 1000})
        return [one["_source"] for one in answer["hits"]["hits"]]


@pytest.fixture(scope="module")
def shops(whole: Running, template_url: str) -> list[Shop]:
    return [Shop(whole, name, template_url) for name in NAMES]


def test_what_the_application_logs_and_what_is_delivered_to_its_bucket_is_searchable(
    shops: list[Shop],
) -> None:
    shop, other = shops
    order = shop.order("tea")
    s3 = deploy.client("s3", shop.aws)
    s3.head_object(Bucket=shop.outputs["OrderBucketName"], Key=f"orders/{order}.json")
    sample = next(one for one in sample_logs.objects() if one.format == "s3_access")
    s3.put_object(
        Bucket=shop.outputs["LogBucketName"], Key="orders/" + sample.key, Body=sample.data
    )

    def lines() -> list[str]:
        return [str(one) for one in shop.found(**{"log.type": "lambda"}) if order in str(one)]

    wait_for(lambda: len(lines()), 1)
    accepted = sample.records - sample.rejected
    wait_for(lambda: len(shop.found(**{"log.type": "s3_access"})), accepted)
    assert other.found() == []


def test_two_of_them_in_one_account_and_region_have_nothing_in_common(shops: list[Shop]) -> None:
    one, other = (
        {
            its_id
            for (kind, *_), its_id in shop.stacks.physical_ids(shop.name).items()
            if kind not in NAMED_WITHIN_THEIR_STACK
        }
        for shop in shops
    )
    assert len(one) > 40
    assert not one & other


def test_they_are_torn_down_one_without_the_other(shops: list[Shop]) -> None:
    shop, other = shops
    kept = {"AWS::S3::Bucket"}
    made = shop.stacks.physical_ids(shop.name)
    buckets = {its_id for (kind, *_), its_id in made.items() if kind in kept}
    shop.stacks.delete(shop.name)
    left = {bucket["Name"] for bucket in deploy.client("s3", shop.aws).list_buckets()["Buckets"]}
    assert len(buckets) == 3
    assert buckets <= left
    functions = deploy.client("lambda", shop.aws).get_paginator("list_functions").paginate()
    names = {one["FunctionName"] for page in functions for one in page["Functions"]}
    assert not names & set(made.values())
    assert set(other.stacks.physical_ids(other.name).values()) & names
    order = other.order("coffee")
    wait_for(lambda: any(order in str(one) for one in other.found(**{"log.type": "lambda"})), True)
    other.stacks.delete(other.name)
