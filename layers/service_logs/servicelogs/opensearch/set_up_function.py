"""What the function that sets the search engine up does, once it can be reached."""

from collections.abc import Mapping
from typing import Any

from servicelogs.opensearch import access, client, setup
from servicelogs.opensearch.collections import check_collection
from servicelogs.opensearch.dashboards import placing
from servicelogs.settings import (
    BucketSettings,
    IndexSettings,
    LogSettings,
    SearchSettings,
    read_settings,
)


def prepare(properties: Mapping[str, Any]) -> dict[str, str]:
    """Put templates and dashboards in place; return what the template reads of it.

    `properties` are those of the custom resource: they may name roles to let in before.
    """
    read_settings(BucketSettings)
    search, indexes = read_settings(SearchSettings), read_settings(IndexSettings)
    log_types = read_settings(LogSettings).log_types
    check_collection(search)
    access.let_in(properties, search, indexes.prefix)
    setup.set_up(client.connect(search), indexes, log_types)
    return {"Dashboards": placing.place_saved_objects()}
