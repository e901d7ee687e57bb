"""The first rejected records of files, for a person to see."""

from collections.abc import Iterator, Sequence

from servicelogs.command_line.explanation import shown
from servicelogs.records import Reject

_MOST_REJECTS = 5
_MOST_OF_REASON = 300


class FirstRejects:
    """A few rejected records with their reasons, and how many there are."""

    def __init__(self, command: str) -> None:
        """Say how this command keeps all of them."""
        self._command = command
        self._first: list[tuple[str, Reject]] = []
        self.count = 0

    def add(self, name: str, rejects: Sequence[Reject]) -> None:
        """Count rejects of a file, and keep those that are among the first."""
        self.count += len(rejects)
        self._first += [(name, one) for one in rejects[: _MOST_REJECTS - len(self._first)]]

    def lines(self, rejects: str) -> Iterator[str]:
        """Say why the first were rejected, and how to see more; `rejects` is their file."""
        for name, reject in self._first:
            reason = shown(reject.reason, _MOST_OF_REASON)
            yield f"rejected: {shown(name)}, record {reject.number}: {reason}"
        if more := self.count - len(self._first):
            yield f"… and {more:,} more"
        if rejects and self.count:
            yield f"servicelogs explain {shown(rejects)} shows them column by column"
        elif self.count:
            yield (
                "servicelogs explain FILE shows them column by column (--record NUMBER: one of "
                f"them); {self._command} --rejects FILE keeps them"
            )
