"""The counts of one attempt as metrics, one set for each log type."""

from collections import Counter
from dataclasses import dataclass, field

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from servicelogs.delivery.counts import SourceCounts


@dataclass(slots=True)
class Totals:
    """The counts of the sources, or parts of sources, that an attempt settled."""

    by_type: dict[str, Counter[str]] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)
    """What was not a log to deliver, by reason."""

    def add(self, counts: SourceCounts, *, finished: bool) -> None:
        """Add a source's records; the source itself counts once, when its last record is done."""
        sums = self.by_type.setdefault(counts.log_type, Counter())
        sums["Objects"] += finished
        sums["Records"] += counts.records - counts.left
        sums["Indexed"] += counts.indexed
        sums["AlreadyThere"] += counts.already_there
        sums["Rejected"] += counts.rejected
        sums["Filtered"] += counts.filtered.total()

    def rejected(self) -> int:
        """Say how many records went to the backup bucket."""
        return sum(sums["Rejected"] for sums in self.by_type.values())

    def publish(self) -> None:
        """Write one metrics document a log type (its namespace comes from the environment)."""
        for log_type, sums in self.by_type.items():
            metrics = EphemeralMetrics()
            metrics.add_dimension("log_type", log_type)
            for name, count in sums.items():
                metrics.add_metric(name, MetricUnit.Count, count)
            metrics.flush_metrics()
