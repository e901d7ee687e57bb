"""What sends objects to the queues again does, tried without its rights."""

from __future__ import annotations

import gzip
import json
import uuid
from functools import partial

from local.lake import Lake
from servicelogs.delivery.rejects import line
from servicelogs.records import Reject
from servicelogs.sources.event_notifications import ObjectToRead
from servicelogs.sources.s3_objects import open_object
from tests.end_to_end.trials import Account, NotDone, Step
from tests.end_to_end.trials_of_search import members_object

SCENARIO = "EnqueueObjects"


def of_enqueue(account: Account) -> list[Step]:
    """Say what the function does: with log objects, another account's too, and with rejects."""
    bucket, backup = account.outputs["LogBucketName"], account.outputs["BackupBucketName"]
    folder = uuid.uuid4().hex
    key = f"{folder}/of-a-trial.log"
    account.s3.put_object(Bucket=bucket, Key=key, Body=b"no log\n")
    source = open_object(account.s3, ObjectToRead(bucket, key)).source
    rejects = gzip.compress(line(Reject(1, "parse", "a trial", b"no log", "1"), source, "alb"))
    account.s3.put_object(Bucket=backup, Key=f"rejected/{folder}/1.ndjson.gz", Body=rejects)
    enqueue = partial(_enqueue, account)
    return [
        Step("sends objects", partial(enqueue, bucket=bucket, prefix=f"{folder}/")),
        Step("sends another account's objects", partial(enqueue, **_of_member(account))),
        Step("sends rejects", partial(enqueue, bucket=backup, prefix=f"rejected/{folder}/")),
    ]


def _of_member(account: Account) -> dict[str, str]:
    """Put an object into the member's log bucket; give what asks for it."""
    wanted = json.loads(members_object(account, "of-a-trial.log", b"no log\n"))
    folder, _, _ = wanted.pop("key").partition("of-a-trial.log")
    return {**wanted, "prefix": folder}


def _enqueue(account: Account, /, **asked: str) -> None:
    event = {"asked": asked, "progress": {}}
    assert account.invoke(SCENARIO, "EnqueueFunction", event)["sent"]


def of_machine(account: Account, lake: Lake) -> list[Step]:
    """Say what the state machine does."""

    def run() -> None:
        bucket = account.outputs["LogBucketName"]
        started = lake.start("EnqueueObjectsArn", bucket=bucket, prefix=uuid.uuid4().hex)
        ended = lake.wait(started)
        if ended.status != "SUCCEEDED":
            raise NotDone(ended.reason)

    return [Step("runs EnqueueObjectsArn", run)]
