"""Whose objects are read: what a message says of them counts once S3 has been asked."""

from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from servicelogs.errors import ForeignBucket, ObjectUnreachable, UnreadableMessage
from servicelogs.lake import copies
from servicelogs.parsing.places import Place
from servicelogs.sources.accounts import Accounts
from servicelogs.sources.event_notifications import ObjectToRead
from servicelogs.sources.s3_objects import open_object
from tests.deployment import LOGS, Deployment

OWN, MEMBER, STRANGER = "111122223333", "222233334444", "999988887777"
HERE = Place(OWN, "eu-west-1")
ACCOUNTS = Accounts(own=OWN, members=[MEMBER], default=HERE)


def wanted(account_id: str = "", region: str = "") -> ObjectToRead:
    return ObjectToRead("logs", "key", account_id=account_id, region=region)


@pytest.mark.parametrize(("said", "owner"), [("", OWN), (OWN, OWN), (MEMBER, MEMBER)])
def test_a_bucket_is_this_accounts_unless_it_is_said_to_be_anothers(said: str, owner: str) -> None:
    assert ACCOUNTS.owner_of(wanted(said)) == owner


@pytest.mark.parametrize("members", [[], [""], [MEMBER]])
def test_an_account_that_is_not_listed_is_refused_by_name(members: list[str]) -> None:
    with pytest.raises(ForeignBucket, match=f"s3://logs/key .*{STRANGER}.*MemberAccountIds"):
        Accounts(own=OWN, members=members).owner_of(wanted(STRANGER))


def test_what_is_refused_goes_to_the_dead_letter_queue_as_what_cannot_be_read() -> None:
    assert issubclass(ForeignBucket, UnreadableMessage)


def test_of_an_organization_every_account_is_asked_for_and_the_role_holds_it() -> None:
    accounts = Accounts(own=OWN, organization_id="o-a1b2c3d4e5")
    assert accounts.owner_of(wanted(STRANGER)) == STRANGER


@pytest.mark.parametrize(
    ("said", "place"),
    [
        (wanted(), HERE),
        (wanted(OWN, "us-east-1"), HERE),
        (wanted(MEMBER, "us-east-1"), Place(MEMBER, "us-east-1")),
        (wanted(MEMBER), Place(MEMBER)),
    ],
)
def test_what_names_no_place_is_of_its_buckets(said: ObjectToRead, place: Place) -> None:
    assert ACCOUNTS.default_place(said) == place


def test_s3_is_asked_for_the_owner_each_time_and_refuses_anybody_elses(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket that was deleted, and taken by somebody else, feeds nothing."""
    asked: list[dict[str, Any]] = []
    get_object = deployment.s3.get_object

    def answer(ExpectedBucketOwner: str = "", **request: Any) -> Any:  # noqa: N803
        asked.append({**request, "owner": ExpectedBucketOwner})
        if ExpectedBucketOwner == STRANGER:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject")
        return get_object(**request)

    monkeypatch.setattr(deployment.s3, "get_object", answer)
    deployment.s3.put_object(Bucket=LOGS, Key="a", Body=b"text")
    stream = open_object(deployment.s3, ObjectToRead(LOGS, "a", account_id=MEMBER)).stream
    stream._body.close()
    stream._reopen(EOFError())  # as after a dropped connection
    assert [one["owner"] for one in asked] == [MEMBER, MEMBER]
    with pytest.raises(ObjectUnreachable, match=f"must be account {STRANGER}'s"):
        open_object(deployment.s3, ObjectToRead(LOGS, "a", account_id=STRANGER))


class OtherRegion:
    """S3, whose bucket is in another Region than the client takes it to be."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, request: Any, **_: Any) -> AWSResponse:
        self.asked.append(request.url)
        headers = {"x-amz-bucket-region": "ap-south-1", "ETag": '"e"', "content-length": "4"}
        if ".ap-south-1." not in request.url:
            return _response(request.url, 301, headers, b"")
        body = b"" if request.method == "HEAD" else b"text"
        return _response(request.url, 200, {**headers, "last-modified": DATE}, body)


DATE = "Fri, 20 Nov 2026 08:15:00 GMT"


class Raw:
    """A body that is all there."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Any:
        yield self._body

    def read(self, _size: int | None = None) -> bytes:
        body, self._body = self._body, b""
        return body

    def close(self) -> None:
        self._body = b""


def _response(url: str, status: int, headers: dict[str, str], body: bytes) -> AWSResponse:
    return AWSResponse(url, status, headers, Raw(body))  # type: ignore[arg-type]


@pytest.mark.parametrize("staged", [False, True])
def test_a_bucket_of_another_region_is_read_there_and_asked_for_once(
    monkeypatch: pytest.MonkeyPatch, staged: bool
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    s3 = boto3.client("s3", region_name="eu-west-1")
    answers = OtherRegion()
    s3.meta.events.register("before-send.s3", answers)
    for _ in range(2):
        if staged:  # HEAD is answered without a body
            assert copies.find(s3, "logs", "key", owner=MEMBER).size == 4
            continue
        opened = open_object(s3, ObjectToRead("logs", "key", account_id=MEMBER))
        assert opened.stream.read(10) == b"text"
    regions = [url.split(".s3.")[1].split(".")[0] for url in answers.asked]
    assert regions == ["eu-west-1", "ap-south-1", "ap-south-1"]
