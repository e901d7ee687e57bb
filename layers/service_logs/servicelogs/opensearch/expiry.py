"""Delete the indexes whose whole time is past their log type's retention.

The date in an index's name decides, not the moment when it was made: a backfill makes old indexes
today. What a record is filtered for as expired (`dates.DatePolicy`) is what has no index any more.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from opensearchpy import OpenSearch
from opensearchpy.exceptions import NotFoundError, OpenSearchException

from servicelogs import formats
from servicelogs.errors import DeliveryError, TryLater
from servicelogs.opensearch.answers import judge_failure
from servicelogs.opensearch.index_names import IndexNames
from servicelogs.opensearch.indexes import cold_indexes, indexes_of
from servicelogs.settings import IndexSettings


class _Index(NamedTuple):
    name: str
    in_cold_storage: bool


@dataclass(slots=True)
class Expired:
    """What became of the indexes that are past their retention."""

    deleted: list[str] = field(default_factory=list)
    refused: dict[str, DeliveryError] = field(default_factory=dict)
    left: int = 0
    """So many were not reached in time."""


def delete_expired(
    client: OpenSearch,
    settings: IndexSettings,
    log_types: Sequence[str],
    *,
    has_time: Callable[[], bool] = lambda: True,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Expired:
    """Delete the expired indexes of these log types; one that is refused stops no other."""
    expired = Expired()
    indexes = list(_past_retention(client, settings, log_types, now(), expired.refused))
    for done, index in enumerate(indexes):
        if not has_time():
            expired.left = len(indexes) - done
            break
        try:
            if _delete(client, index):
                expired.deleted.append(index.name)
        except DeliveryError as error:
            expired.refused[index.name] = error
    return expired


def _past_retention(
    client: OpenSearch,
    settings: IndexSettings,
    log_types: Sequence[str],
    now: datetime,
    refused: dict[str, DeliveryError],
) -> Iterator[_Index]:
    """Give the indexes past their retention, and note which may not even be listed."""
    names = IndexNames(settings.prefix, settings.period)
    for log_type in log_types:
        if not (days := settings.days_kept(log_type)):
            continue
        log_format = formats.get(log_type)
        for listed in _lists(client, names, settings, log_type):
            try:
                for index in listed:
                    end = names.end(log_format, index.name)
                    if end is not None and end <= now - timedelta(days=days):
                        yield index
            except TryLater:
                raise  # whatever is asked next would be answered no better
            except DeliveryError as error:
                refused[names.searched(log_type)] = error


def _lists(
    client: OpenSearch, names: IndexNames, settings: IndexSettings, log_type: str
) -> Iterator[Iterator[_Index]]:
    """Give the indexes of a log type; of those in cold storage another API knows."""
    yield _hot(client, names, log_type)
    if settings.cold_after_days:
        yield _cold(client, names, log_type)


def _hot(client: OpenSearch, names: IndexNames, log_type: str) -> Iterator[_Index]:
    for name in indexes_of(client, names.patterns(log_type)):
        yield _Index(name, in_cold_storage=False)


def _cold(client: OpenSearch, names: IndexNames, log_type: str) -> Iterator[_Index]:
    for name in cold_indexes(client, names.stem(log_type)):
        yield _Index(name, in_cold_storage=True)


def _delete(client: OpenSearch, index: _Index) -> bool:
    """Delete one index by its whole name; False if somebody else did."""
    path, params = f"/{index.name}", {"expand_wildcards": "none"}
    if index.in_cold_storage:
        path, params = f"/_cold/{index.name}", {}
    try:
        client.transport.perform_request("DELETE", path, params=params)
    except NotFoundError:
        return False
    except OpenSearchException as failure:
        raise judge_failure(failure).as_error() from failure
    return True
