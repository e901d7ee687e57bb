"""What the function that sets up does in one attempt."""

from collections.abc import Mapping
from typing import Any

from servicelogs.opensearch import access, client, setup
from servicelogs.opensearch.collections import check_collection
from servicelogs.settings import (
    BucketSettings,
    IndexSettings,
    LogSettings,
    SearchSettings,
    read_settings,
)


def set_up_deployment(properties: Mapping[str, Any]) -> list[str]:
    """Check what the deployment says, and set up its search engine; return the templates' names.

    `properties` are those of the custom resource: they may name roles to let in before.
    """
    read_settings(BucketSettings)
    search, indexes = read_settings(SearchSettings), read_settings(IndexSettings)
    log_types = read_settings(LogSettings).log_types
    check_collection(search)
    access.let_in(properties, search, indexes.prefix)
    return setup.set_up(client.connect(search), indexes, log_types)
