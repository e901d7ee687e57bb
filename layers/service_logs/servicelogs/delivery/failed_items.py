"""What a function answers: which items of its event failed, and must come again."""

from collections.abc import Sequence

from servicelogs.errors import EveryItemFailed

type Answer = dict[str, list[dict[str, str]]]


def report(ids: Sequence[str], errors: Sequence[Exception | None]) -> Answer:
    """Name the items that failed, as Lambda reads it.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
    If all did, that is an error of the function, so that its metric of errors shows an outage.
    """
    failed = [(item, error) for item, error in zip(ids, errors, strict=True) if error is not None]
    if failed and len(failed) == len(ids):
        reasons = dict.fromkeys(f"{type(error).__name__}: {error}" for _, error in failed)
        raise EveryItemFailed(f"all {len(failed)} items of the event failed: {'; '.join(reasons)}")
    return {"batchItemFailures": [{"itemIdentifier": item} for item, _ in failed]}
