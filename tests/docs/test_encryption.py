"""The page on encryption has a key policy that lets in every service that the templates rely on."""

import json
import re

from tests.templates.expansion import ROOT, decide, of_type, statements
from tests.templates.test_log_bucket import SSE_S3_ONLY

PAGE = (ROOT / "docs/encryption.md").read_text()
(POLICY,) = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
SERVICES = [s for s in POLICY["Statement"] if "Service" in s["Principal"]]


def let_in(policy_statements: list[dict[str, object]]) -> set[str]:
    """Name the services that statements let in."""
    names = [s["Principal"].get("Service", []) for s in policy_statements]  # type: ignore[attr-defined]
    return {n for name in names for n in (name if isinstance(name, list) else [name])}


def test_who_writes_to_a_queue_topic_or_bucket_that_the_key_encrypts_is_let_in() -> None:
    writers = let_in(
        [
            statement
            for events in ("SQS", "SNS", "EventBridge")
            for name in ("log_bucket", "s3_to_opensearch", "s3_to_light_engine")
            for kind in ("AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::S3::BucketPolicy")
            for statement in statements(
                of_type(decide(f"scenarios/{name}.yaml", ObjectEvents=events), kind)
            )
            if statement["Effect"] == "Allow"
        ]
    )
    assert writers - SSE_S3_ONLY <= let_in(SERVICES)
    assert not let_in(SERVICES) & SSE_S3_ONLY, "they write under S3's keys alone"
    assert "logs.eu-west-1.amazonaws.com" in let_in(SERVICES)


def test_every_service_is_let_in_for_this_account_alone() -> None:
    for statement in SERVICES:
        assert "111122223333" in json.dumps(statement["Condition"]), statement["Sid"]


def test_the_page_says_of_each_statement_that_needs_it_what_fails_without() -> None:
    named = set(re.findall(r"^- `(\w+)`:", PAGE, re.MULTILINE))
    assert named <= {s["Sid"] for s in POLICY["Statement"]}
    assert named
