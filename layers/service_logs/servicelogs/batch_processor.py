"""Powertools' batch processor for messages that are delivered together, after the last was read."""

from collections.abc import Callable, Mapping

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType


class SharedDeliveryProcessor(BatchProcessor):
    """Learn which messages failed only when the batch's shared delivery is finished."""

    def __init__(self, finish: Callable[[], Mapping[str, Exception]]) -> None:
        """Take what ends the delivery and gives the failed messages' errors by message id."""
        super().__init__(EventType.SQS)
        self._finish = finish

    def _clean(self) -> None:
        failed = self._finish()
        known = {item["itemIdentifier"] for item in self._get_messages_to_report()}
        for record in self.records:
            error = failed.get(record["messageId"])
            if error is not None and record["messageId"] not in known:
                self.failure_handler(
                    self._to_batch_type(record, self.event_type),
                    (type(error), error, error.__traceback__),
                )
        super()._clean()  # type: ignore[no-untyped-call]  # Powertools does not type it
