"""The SQS queue of messages about objects, which also takes what is left for later."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from servicelogs.errors import DeliveryError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import (
        ChangeMessageVisibilityBatchRequestEntryTypeDef,
        SendMessageBatchRequestEntryTypeDef,
    )

logger = Logger(child=True)

# The most entries one call takes.
ENTRIES = 10
LONGEST_DELAY = 30 * 60


@dataclass(frozen=True, slots=True)
class Message:
    """A message as the event source mapping hands it over."""

    id: str
    receipt_handle: str
    receive_count: int
    body: str

    @classmethod
    def of(cls, record: dict[str, Any]) -> Message:
        """Read a record of a Lambda function's SQS event."""
        return cls(
            id=record["messageId"],
            receipt_handle=record["receiptHandle"],
            receive_count=int(record["attributes"]["ApproximateReceiveCount"]),
            body=record["body"],
        )

    def delay(self) -> int:
        """Say for how many seconds to wait before the next try: 1, 2, 4 … 30 minutes."""
        return min(60 << min(self.receive_count - 1, 10), LONGEST_DELAY)


class Queue:
    """The queue of this deployment."""

    def __init__(self, sqs: SQSClient, url: str) -> None:
        """Use the queue with this address."""
        self._sqs = sqs
        self._url = url

    def send(self, bodies: Iterable[str]) -> None:
        """Send new messages; DeliveryError when one of them did not arrive."""
        for group in batched(bodies, ENTRIES, strict=False):
            entries: list[SendMessageBatchRequestEntryTypeDef] = [
                {"Id": str(number), "MessageBody": body} for number, body in enumerate(group)
            ]
            try:
                answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
            except (BotoCoreError, ClientError) as error:
                raise DeliveryError(
                    f"messages could not be sent to {self._url}: {error}"
                ) from error
            if failed := answer.get("Failed"):
                why = failed[0].get("Message") or failed[0]["Code"]
                raise DeliveryError(f"messages could not be sent to {self._url}: {why}")

    def postpone(self, delays: Iterable[tuple[Message, int]]) -> None:
        """Keep messages that failed back for so many seconds."""
        for group in batched(delays, ENTRIES, strict=False):
            entries: list[ChangeMessageVisibilityBatchRequestEntryTypeDef] = [
                {
                    "Id": str(number),
                    "ReceiptHandle": message.receipt_handle,
                    "VisibilityTimeout": seconds,
                }
                for number, (message, seconds) in enumerate(group)
            ]
            try:
                answer = self._sqs.change_message_visibility_batch(
                    QueueUrl=self._url, Entries=entries
                )
            except (BotoCoreError, ClientError) as error:
                # They come again all the same, after the queue's own visibility timeout.
                logger.warning("messages not postponed", extra={"error": str(error)})
            else:
                for failed in answer.get("Failed", []):
                    logger.warning("message not postponed", extra={"error": str(failed)})
