"""What the function that sets up does in one attempt."""

from servicelogs.opensearch import client, setup
from servicelogs.opensearch.collections import check_collection
from servicelogs.settings import (
    BucketSettings,
    IndexSettings,
    LogSettings,
    SearchSettings,
    read_settings,
)


def set_up_deployment() -> list[str]:
    """Check what the deployment says, and set up its search engine; return the templates' names."""
    read_settings(BucketSettings)
    search, indexes = read_settings(SearchSettings), read_settings(IndexSettings)
    log_types = read_settings(LogSettings).log_types
    check_collection(search)
    return setup.set_up(client.connect(search), indexes, log_types)
