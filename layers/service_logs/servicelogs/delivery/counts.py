"""What became of each record of one source in one attempt: counts that must add up."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from servicelogs.errors import DeliveryError, Unaccounted
from servicelogs.records import Block, Reject, Source


@dataclass(slots=True, eq=False)
class SourceCounts:
    """Count where each record of one source went, and hand on those that were rejected."""

    source: Source
    log_type: str
    on_reject: Callable[[Reject], None]
    """Takes each rejected record: the file for the backup bucket."""
    records: int = 0
    indexed: int = 0
    already_there: int = 0
    rejected: int = 0
    filtered: Counter[str] = field(default_factory=Counter)
    left: int = 0
    """Records that could not be delivered in the time of this attempt."""
    left_from: int = 0
    """The number of the first of them; 0: there is none."""
    error: DeliveryError | None = None
    """Why records were left."""

    def take(self, block: Block) -> None:
        """Count a block's records as come in, and settle those that are not documents."""
        self.records += block.records
        self.filtered.update(block.filtered)
        for reject in block.rejects:
            self.reject(reject)

    def reject(self, reject: Reject) -> None:
        """Count a rejected record and hand it on."""
        self.rejected += 1
        self.on_reject(reject)

    def take_back(self, records: int) -> None:
        """Count rejected records that were there after all."""
        self.rejected -= records
        self.already_there += records

    def leave(self, records: int, error: DeliveryError, first: int) -> None:
        """Count records that must come again, `first` the first, and keep the first reason."""
        self.left += records
        self.left_from = min(self.left_from or first, first)
        self.error = self.error or error

    def settled(self) -> int:
        """Say how many records have an end: indexed, already there, rejected, filtered or left."""
        return self.indexed + self.already_there + self.rejected + self.filtered.total() + self.left

    def add_up(self) -> bool:
        """Say whether every record that came in is accounted for."""
        return self.records == self.settled()

    def check(self) -> None:
        """Raise why records were left, or Unaccounted when the counts do not add up."""
        if self.error is not None:
            raise self.error
        self.check_sum()

    def check_sum(self) -> None:
        """Raise Unaccounted when the counts do not add up."""
        if not self.add_up():
            raise Unaccounted(
                f"{self.source.uri}: of {self.records} records {self.settled()} are accounted for; "
                "this is a fault of Service Logs, please report it"
            )
