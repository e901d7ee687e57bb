"""What the lake's queries say: those that must find nothing, and one answer for each log type."""

from collections.abc import Iterator

from local.lake import Lake, as_table
from servicelogs.lake.named_queries import PREFIX

MUST_BE_EMPTY = ("twice", "reconcile")
ROWS = 3


def findings(lake: Lake) -> list[str]:
    """Give what the queries find that must find nothing."""
    wrong = []
    for log_type, name, sql in _queries(lake):
        if name in MUST_BE_EMPTY:
            _, rows = lake.answer(sql, lake.first_day(log_type))
            wrong += [f"{log_type}.{name}: {row}" for row in rows]
    return wrong


def show(lake: Lake) -> Iterator[str]:
    """Answer one query of each log type, and write the first rows of its answer."""
    shown = set()
    for log_type, name, sql in _queries(lake):
        if name in MUST_BE_EMPTY or log_type in shown:
            continue
        columns, rows = lake.answer(sql, lake.first_day(log_type))
        if rows:
            shown.add(log_type)
            title = sql.partition("\n")[0].removeprefix("-- ")
            yield f"\n{title} ({log_type}.{name})"
            yield from (f"  {line}" for line in as_table(columns, rows[:ROWS]))


def _queries(lake: Lake) -> Iterator[tuple[str, str, str]]:
    """Give the log type, the name and the text of each query of tables that are open."""
    for full_name, sql in sorted(lake.queries().items()):
        if full_name.startswith(PREFIX):
            log_type, _, name = full_name.removeprefix(PREFIX).partition(".")
            if log_type in lake.opened:
                yield log_type, name, sql
