"""Publish the columns that declarations have and the lake has not yet: `make columns`.

They are appended to layers/service_logs/servicelogs/lake/columns, which is how tables are.
"""

from collections.abc import Iterable, Iterator

from servicelogs import formats
from servicelogs.lake.published import COLUMNS, published_lines
from servicelogs.lake.schema import LakeColumn, columns


def lines_of(found: Iterable[LakeColumn], above: str = "") -> Iterator[str]:
    """Write a line for each value that columns hold, `struct.list[].member type`."""
    for column in found:
        path = f"{above}{column.name}{'[]' if column.many else ''}"
        if column.kind:
            yield f"{path} {column.kind}"
        else:
            yield from lines_of(column.members, f"{path}.")


def main() -> None:
    """Append what is new to each log type's file."""
    for name in formats.NAMES:
        published = published_lines(name)
        new = [line for line in lines_of(columns(formats.get(name))) if line not in published]
        file = COLUMNS / f"{name}.txt"
        file.write_text("".join(f"{line}\n" for line in (*published, *new)))


if __name__ == "__main__":
    main()
