"""The counts of a batch as metrics, one set for each log type."""

from collections import Counter
from dataclasses import dataclass, field

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from servicelogs.accounts import Account


@dataclass(slots=True)
class Totals:
    """The counts of the objects, or parts of objects, that a batch settled."""

    by_type: dict[str, Counter[str]] = field(default_factory=dict)
    passed_over: Counter[str] = field(default_factory=Counter)
    """What was no log to index, by reason."""
    routed: int = 0
    """Objects that were left to another function, which counts them."""

    def add(self, account: Account, *, finished: bool) -> None:
        """Add an object's records; the object itself counts once, when its last part is done."""
        counts = self.by_type.setdefault(account.format_name, Counter())
        counts["Objects"] += finished
        counts["Records"] += account.records
        counts["Indexed"] += account.indexed
        counts["AlreadyThere"] += account.already_there
        counts["Rejected"] += account.rejected
        counts["Filtered"] += account.filtered.total()

    def rejected(self) -> int:
        """Say how many records went to the backup bucket."""
        return sum(counts["Rejected"] for counts in self.by_type.values())

    def publish(self) -> None:
        """Write one metrics document a log type (its namespace comes from the environment)."""
        for log_type, counts in self.by_type.items():
            metrics = EphemeralMetrics()
            metrics.add_dimension("log_type", log_type)
            for name, count in counts.items():
                metrics.add_metric(name, MetricUnit.Count, count)
            metrics.flush_metrics()
