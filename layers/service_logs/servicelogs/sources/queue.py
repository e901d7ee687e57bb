"""The SQS queue of messages about objects, which also takes what is left for later."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING

import msgspec
from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from servicelogs.errors import DeliveryError
from servicelogs.sources.function_events import checked

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import (
        ChangeMessageVisibilityBatchRequestEntryTypeDef,
        DeleteMessageBatchRequestEntryTypeDef,
        SendMessageBatchRequestEntryTypeDef,
    )

logger = Logger(child=True)

# The most entries one call takes.
ENTRIES = 10
LONGEST_DELAY = 30 * 60
# Delays are longer or shorter by up to this part, so that what failed together comes apart.
JITTER = 0.5
# After the end of an invocation that dies, before its other messages can be received again.
MARGIN_SECONDS = 30


class _Attributes(msgspec.Struct, rename="pascal"):
    approximate_receive_count: int


class _Record(msgspec.Struct, rename="camel"):
    message_id: str
    receipt_handle: str
    attributes: _Attributes
    body: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message as the event source mapping hands it over."""

    id: str
    receipt_handle: str
    receive_count: int
    body: str

    @classmethod
    def of(cls, record: object) -> Message:
        """Read a record of a Lambda function's SQS event; an UnreadableEvent if it is not one."""
        found = checked(record, _Record, "a record of an SQS queue")
        count = found.attributes.approximate_receive_count
        return cls(found.message_id, found.receipt_handle, count, found.body)

    @property
    def came_before(self) -> bool:
        """Whether it was received before: what it asks for failed, or ended the function."""
        return self.receive_count > 1

    def delay(self) -> int:
        """Say for how many seconds to wait before the next try: about 1, 2, 4 … 30 minutes."""
        seconds = min(60 << min(self.receive_count - 1, 10), LONGEST_DELAY)
        return round(seconds * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311 - spreads load


class Queue:
    """The queue of this deployment."""

    def __init__(self, sqs: SQSClient, url: str) -> None:
        """Use the queue with this address."""
        self._sqs = sqs
        self._url = url

    @classmethod
    def of_arn(cls, sqs: SQSClient, arn: str) -> Queue:
        """Use the queue with this ARN."""
        *_, owner, name = arn.split(":")
        found = sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=owner)
        return cls(sqs, found["QueueUrl"])

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

    def isolate(self, message: Message, others: Iterable[Message], seconds_left: float) -> None:
        """Let a message come again later than these others, should it end the function.

        So they are received without it, and lose one try to it.
        """
        end = int(seconds_left) + MARGIN_SECONDS
        self.postpone([(message, end + message.delay()), *((other, end) for other in others)])

    def delete(self, messages: Iterable[Message]) -> None:
        """Delete messages that are done, before the function's end would."""
        for group in batched(messages, ENTRIES, strict=False):
            entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
                {"Id": str(number), "ReceiptHandle": message.receipt_handle}
                for number, message in enumerate(group)
            ]
            try:
                answer = self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)
            except (BotoCoreError, ClientError) as error:
                # The function reports them done, and Lambda deletes them, unless it dies before.
                logger.warning("messages not deleted", extra={"error": str(error)})
            else:
                for failed in answer.get("Failed", []):
                    logger.warning("message not deleted", extra={"error": str(failed)})

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
