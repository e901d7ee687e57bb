"""Cut from shared libraries what only a debugger or a linker reads: `strip_symbols.py FOLDER`.

pyarrow's wheels carry 20 MB of it. `strip` knows the formats of its own machine alone; what a
program loads is the same for all: the segments that the program header names, and nothing behind.
https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.pheader.html
"""

import struct
import sys
from pathlib import Path

# 64 bits, least significant byte first: x86_64 and arm64.
MAGIC = b"\x7fELF\x02\x01"


def end_of_segments(library: bytes) -> int:
    """Find where the last segment that a program loads ends."""
    (table,) = struct.unpack_from("<Q", library, 32)
    size, count = struct.unpack_from("<HH", library, 54)
    ends = [table + size * count]
    for header in range(table, ends[0], size):
        (offset,) = struct.unpack_from("<Q", library, header + 8)
        (length,) = struct.unpack_from("<Q", library, header + 32)
        ends.append(offset + length)
    return max(ends)


def stripped(library: bytes) -> bytes:
    """Give a library without its sections' table and what stands behind the last segment."""
    cut = bytearray(library[: end_of_segments(library)])
    struct.pack_into("<Q", cut, 40, 0)  # where the sections' table is
    struct.pack_into("<HH", cut, 60, 0, 0)  # its length, and which section has the names
    return bytes(cut)


def main(folder: Path) -> None:
    """Strip every shared library of a folder."""
    for path in sorted(folder.rglob("*.so*")):
        library = path.read_bytes()
        if library.startswith(MAGIC):
            # The file may be one with uv's cache and all environments: it is not written into.
            new = path.with_name(f"{path.name}.new")
            new.write_bytes(stripped(library))
            new.chmod(path.stat().st_mode)
            new.replace(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
