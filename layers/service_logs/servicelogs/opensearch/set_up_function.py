"""What the function that sets the search engine up does, once it can be reached."""

from collections.abc import Mapping
from typing import Any

from servicelogs.errors import ClusterNeedsFixing
from servicelogs.opensearch import access, client, setup
from servicelogs.opensearch.answers import NotPermitted
from servicelogs.opensearch.collections import check_collection
from servicelogs.opensearch.dashboards import placing
from servicelogs.opensearch.remedies import with_remedy
from servicelogs.settings import (
    BucketSettings,
    IndexSettings,
    LogSettings,
    SearchSettings,
    read_settings,
)


def prepare(properties: Mapping[str, Any]) -> dict[str, str]:
    """Put templates and dashboards in place; return what the template reads of it.

    `properties` are those of the custom resource: they say who asks what of the engine, and may
    name a master user who is to let them in before.
    """
    read_settings(BucketSettings)
    search, indexes = read_settings(SearchSettings), read_settings(IndexSettings)
    log_types = read_settings(LogSettings).log_types
    check_collection(search)
    asked = properties["Access"]
    asking, master = access.access_of(asked, search, indexes), asked["MasterSecretArn"]
    if master:
        access.let_in(asking, search, master)
    try:
        setup.set_up(client.connect(search), indexes, log_types)
    except NotPermitted as refusal:
        said = with_remedy(refusal, asking, asked["EngineArn"], mapped=bool(master))
        raise ClusterNeedsFixing(said) from refusal
    return {"Dashboards": placing.place_saved_objects()}
