"""What the function that sets the search engine up does, once it can be reached."""

from servicelogs.opensearch import client, setup
from servicelogs.opensearch.collections import check_collection
from servicelogs.opensearch.dashboards import placing
from servicelogs.settings import (
    BucketSettings,
    IndexSettings,
    LogSettings,
    SearchSettings,
    read_settings,
)


def prepare() -> dict[str, str]:
    """Put templates and dashboards in place; return what the template reads of it."""
    read_settings(BucketSettings)
    search, indexes = read_settings(SearchSettings), read_settings(IndexSettings)
    log_types = read_settings(LogSettings).log_types
    check_collection(search)
    setup.set_up(client.connect(search), indexes, log_types)
    return {"Dashboards": placing.place_saved_objects()}
