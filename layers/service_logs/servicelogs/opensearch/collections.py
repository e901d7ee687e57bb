"""Check that a collection of OpenSearch Serverless is of the type that the deployment says."""

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from servicelogs.errors import ConfigurationError
from servicelogs.settings import SearchSettings

_TYPES = {"SEARCH": "serverless-search", "TIMESERIES": "serverless-timeseries"}


def check_collection(settings: SearchSettings) -> None:
    """Refuse a collection that does not exist, or whose type is not the EngineType.

    A collection of the type SEARCH takes ids, one of TIMESERIES refuses every document with one.
    """
    if settings.engine_type == "opensearch":
        return
    name = settings.collection_name
    if not name:
        raise ConfigurationError(
            f"COLLECTION_NAME must name the collection, because ENGINE_TYPE is "
            f"{settings.engine_type}"
        )
    try:
        answer = boto3.client("opensearchserverless").batch_get_collection(names=[name])
    except (BotoCoreError, ClientError) as error:
        raise ConfigurationError(f"the collection {name!r} cannot be asked for: {error}") from error
    for collection in answer["collectionDetails"]:
        if _TYPES.get(collection["type"]) != settings.engine_type:
            raise ConfigurationError(
                f"the collection {name!r} is of the type {collection['type']}, so EngineType must "
                f"be {_TYPES.get(collection['type'], 'another collection')}, not "
                f"{settings.engine_type}: a collection of the type SEARCH takes ids (each record "
                "once), one of TIMESERIES takes none"
            )
        return
    raise ConfigurationError(f"there is no collection {name!r} in this account and Region")
