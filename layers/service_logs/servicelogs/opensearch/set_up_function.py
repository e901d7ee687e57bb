"""The setup of a deployment's search engine, as a request of CloudFormation asks for it."""

from collections.abc import Callable, Mapping
from typing import Any

from servicelogs.opensearch import access, client, collections, setup
from servicelogs.settings import (
    BucketSettings,
    IndexSettings,
    LogSettings,
    SearchSettings,
    read_settings,
)


def prepare(properties: Mapping[str, Any]) -> Callable[[], list[str]]:
    """Check the settings; return the attempt at it, which may be repeated and names templates."""
    read_settings(BucketSettings)
    search, indexes = read_settings(SearchSettings), read_settings(IndexSettings)
    log_types = read_settings(LogSettings).log_types
    collections.check_collection(search)

    def attempt() -> list[str]:
        access.let_in(properties, search, indexes.prefix)
        return setup.set_up(client.connect(search), indexes, log_types)

    return attempt
