"""The one way in which parsing and engines remember what they made: bounded, whatever comes."""

from collections.abc import Callable


def _one(_key: object) -> int:
    return 1


class Cache[Key, Value](dict[Key, Value]):
    """A dictionary that makes what it lacks, and forgets everything rather than hold too much.

    What others write decides the keys: without a bound an object could fill the memory. To find a
    key costs what it costs in a dictionary.
    """

    def __init__(
        self,
        make: Callable[[Key], Value],
        most: int,
        weight: Callable[[Key], int] = _one,
        forgotten: Callable[[], object] = lambda: None,
    ) -> None:
        """Hold keys of at most this weight together; call `forgotten` when all are dropped."""
        self._make = make
        self._most = most
        self._weight = weight
        self._forgotten = forgotten
        self._held = 0

    def clear(self) -> None:
        """Forget everything."""
        super().clear()
        self._held = 0

    def __missing__(self, key: Key) -> Value:
        value = self._make(key)
        weight = self._weight(key)
        if self._held + weight > self._most:
            self.clear()
            self._forgotten()
        self._held += weight
        self[key] = value
        return value
