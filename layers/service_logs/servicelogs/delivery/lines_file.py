"""Lines of text in gzip, in memory while they are few: what becomes a file of the backup bucket."""

import tempfile
from collections.abc import Iterator
from typing import IO

from isal import igzip, isal_zlib

from servicelogs.sources.decompression import Readable

# Larger files move from memory to a temporary file.
MEMORY_SIZE = 256 * 1024


class LinesFile:
    """Lines that are written first, and then read or sent."""

    def __init__(self) -> None:
        """Begin a file without lines."""
        self._file = tempfile.SpooledTemporaryFile(MEMORY_SIZE)  # noqa: SIM115 - see close
        self._gzip = isal_zlib.compressobj(level=1, wbits=isal_zlib.MAX_WBITS | 16)
        self._open = True
        self.lines = 0

    def append(self, line: bytes) -> None:
        """Write a line, which ends in a newline."""
        self._file.write(self._gzip.compress(line))
        self.lines += 1

    def compressed(self) -> IO[bytes]:
        """Give the file's bytes from the first on; no line may follow."""
        if self._open:
            self._file.write(self._gzip.flush())
            self._open = False
        self._file.seek(0)
        return self._file

    def __iter__(self) -> Iterator[bytes]:
        """Read the lines; no other may follow."""
        return read_lines(self.compressed())

    def close(self) -> None:
        """Give up the memory or temporary file that the lines take."""
        self._file.close()


def read_lines(compressed: Readable) -> Iterator[bytes]:
    """Read the lines of a file as `LinesFile` writes it."""
    lines: IO[bytes] = igzip.open(compressed, "rb")  # type: ignore[no-untyped-call]
    return iter(lines)
