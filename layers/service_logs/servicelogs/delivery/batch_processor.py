"""Powertools' batch processor for items that are delivered together, after the last was read."""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor


class SharedDeliveryProcessor(BatchProcessor):
    """Hand all items of an event to the handler at once, and report those that it says failed.

    The handler takes the list of items, in Powertools' data classes of the event type, and returns
    for each of them its error, or None.
    """

    def process(self) -> list[tuple[Any, ...]]:
        """Mark each item as the shared delivery ended for it."""
        items = [self._to_batch_type(record, self.event_type) for record in self.records]
        return [
            self.success_handler(item, None)
            if error is None
            else self.failure_handler(item, (type(error), error, error.__traceback__))
            for item, error in zip(items, self.handler(items), strict=True)
        ]
