"""Check that a collection of OpenSearch Serverless is of the type that the deployment says."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from servicelogs.errors import ClusterNeedsFixing, ConfigurationError, TryLater
from servicelogs.settings import SearchSettings

_TYPES = {"SEARCH": "serverless-search", "TIMESERIES": "serverless-timeseries"}


def check_collection(settings: SearchSettings) -> None:
    """Refuse a collection that does not exist, or is not what the deployment says it is.

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
    collection = _collection(name)
    _check_type(name, collection["type"], settings.engine_type)
    _check_endpoint(name, collection["id"], settings.endpoint)
    match collection["status"]:
        case "CREATING":
            raise TryLater(f"the collection {name!r} is being created")
        case "DELETING" | "FAILED" as status:
            raise ConfigurationError(f"the collection {name!r} is {status}: choose another one")


def _collection(name: str) -> Mapping[str, Any]:
    try:
        answer = boto3.client("opensearchserverless").batch_get_collection(names=[name])
    except ClientError as error:
        # Not at once: the rights of a role made a moment ago are not known everywhere yet.
        raise ClusterNeedsFixing(
            f"the collection {name!r} cannot be asked for: {error}. The setup's role may do so "
            "(aoss:BatchGetCollection) unless PermissionsBoundaryArn or the organization denies it"
        ) from error
    except BotoCoreError as error:
        raise TryLater(f"the collection {name!r} cannot be asked for: {error}") from error
    found: list[Mapping[str, Any]] = answer["collectionDetails"]
    if not found:
        said = [one.get("errorMessage", "") for one in answer.get("collectionErrorDetails", ())]
        raise ConfigurationError(
            f"there is no collection {name!r} in this account and Region: CollectionName must be "
            f"the name of one, which is no id{''.join(f' ({one})' for one in said if one)}"
        )
    return found[0]


def _check_type(name: str, kind: str, engine_type: str) -> None:
    fits = _TYPES.get(kind)
    if not fits:
        raise ConfigurationError(
            f"the collection {name!r} is of the type {kind}: logs need one of the type SEARCH "
            "(EngineType serverless-search) or TIMESERIES (serverless-timeseries)"
        )
    if fits != engine_type:
        raise ConfigurationError(
            f"the collection {name!r} is of the type {kind}, so EngineType must be {fits}, not "
            f"{engine_type}: a collection of the type SEARCH takes ids (each record once), one of "
            "TIMESERIES takes none"
        )


def _check_endpoint(name: str, collection_id: str, endpoint: str) -> None:
    """Refuse the address of another collection: the access policies name this one."""
    host = urlsplit(endpoint).hostname or ""
    its_id, _, rest = host.partition(".")
    if "aoss." in rest and its_id != collection_id:
        raise ConfigurationError(
            f"OpenSearchEndpoint {endpoint!r} is not that of the collection {name!r}, which begins "
            f"with {collection_id}"
        )
