"""Let the functions' IAM roles into a domain with fine-grained access control.

By the security plugin's API, as the domain's master user: security roles of this deployment's own,
for the functions that index, for the setup and for the function that deletes expired indexes, each
mapped to the IAM roles that need it. Nothing else there is touched.
https://docs.opensearch.org/latest/security/access-control/api/
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from opensearchpy import OpenSearch
from opensearchpy.exceptions import NotFoundError, OpenSearchException, RequestError

from servicelogs.errors import ConfigurationError, ServiceLogsError
from servicelogs.opensearch.answers import judge_failure
from servicelogs.opensearch.client import connect
from servicelogs.settings import SearchSettings, read_settings

logger = logging.getLogger(__name__)

_API = "/_plugins/_security/api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Which IAM roles a deployment's setup lets in, and what its security roles begin with."""

    name: str
    indexing_roles: Sequence[str]
    """ARNs of the roles of the functions that index."""
    set_up_roles: Sequence[str]
    """ARNs of the roles that put the mapping templates."""
    deleting_roles: Sequence[str] = ()
    """ARNs of the roles of the functions that delete expired indexes."""

    def security_roles(self) -> dict[str, Sequence[str]]:
        """Give the IAM roles that each security role is for, by its name."""
        return {
            f"{self.name}-indexing": self.indexing_roles,
            f"{self.name}-setting-up": self.set_up_roles,
            f"{self.name}-deleting": self.deleting_roles,
        }


def let_in(properties: Mapping[str, Any], search: SearchSettings, index_prefix: str) -> None:
    """Let the roles in that a request of CloudFormation names, if it names a master user."""
    if asked := properties.get("Access"):
        access = _access(asked)
        allow(_as_master(search, asked), access, index_prefix)
        logger.info("roles are mapped", extra={"names": list(access.security_roles())})


def take_out(properties: Mapping[str, Any]) -> None:
    """Take the access of those roles away; a domain that cannot be reached keeps it."""
    if asked := properties.get("Access"):
        try:
            withdraw(_as_master(read_settings(SearchSettings), asked), _access(asked))
        except ServiceLogsError as error:
            # The stack goes whatever becomes of the domain; roles that are gone can do nothing.
            logger.warning("security roles stay", extra={"error": str(error)})


def _access(asked: Mapping[str, Any]) -> Access:
    return Access(
        name=asked["Name"],
        indexing_roles=asked["IndexingRoleArns"],
        set_up_roles=asked["SetUpRoleArns"],
        deleting_roles=asked["DeletingRoleArns"],
    )


def _as_master(search: SearchSettings, asked: Mapping[str, Any]) -> OpenSearch:
    return connect(replace(search, auth="basic", secret_arn=asked["MasterSecretArn"]))


def allow(master: OpenSearch, access: Access, index_prefix: str) -> None:
    """Make the security roles as they must be, and map them; again, it changes nothing."""
    patterns = [f"{index_prefix}-*"]
    roles = (indexing_role(patterns), set_up_role(patterns), deleting_role(patterns))
    for (name, arns), role in zip(access.security_roles().items(), roles, strict=True):
        _request(master, "PUT", f"/roles/{name}", role)
        # A role's ARN is the backend role of who signs with it.
        _request(master, "PUT", f"/rolesmapping/{name}", {"backend_roles": list(arns)})


def withdraw(master: OpenSearch, access: Access) -> None:
    """Take both mappings and roles away; what is not there need not be."""
    for name in access.security_roles():
        for kind in ("rolesmapping", "roles"):
            _request(master, "DELETE", f"/{kind}/{name}")


def indexing_role(patterns: Sequence[str]) -> dict[str, Any]:
    """Say what functions that index may do: make indexes and documents, and never delete."""
    return {
        "description": "Service Logs: functions that index",
        "cluster_permissions": [
            "indices:data/write/bulk",
            "indices:data/read/mget",
            "indices:admin/index_template/get",
        ],
        "index_permissions": [
            {
                "index_patterns": list(patterns),
                "allowed_actions": [
                    "create_index",
                    "indices:data/write/index",
                    "indices:data/write/bulk*",
                    "indices:admin/mapping/auto_put",
                    "indices:data/read/get",
                    "indices:data/read/mget*",
                    "indices:data/read/search",
                ],
            }
        ],
    }


def set_up_role(patterns: Sequence[str]) -> dict[str, Any]:
    """Say what the setup may do: put mapping templates, and see which indexes there are."""
    return {
        "description": "Service Logs: its setup",
        "cluster_permissions": [
            "indices:admin/index_template/get",
            "indices:admin/index_template/put",
            "cluster:admin/component_template/put",
            "cluster:admin/opendistro/ism/policy/get",
            "cluster:admin/opendistro/ism/policy/write",
        ],
        "index_permissions": [
            {
                "index_patterns": list(patterns),
                "allowed_actions": ["indices:monitor/settings/get"],
            }
        ],
    }


def deleting_role(patterns: Sequence[str]) -> dict[str, Any]:
    """Say what the function that deletes expired indexes may do."""
    return {
        "description": "Service Logs: deletes expired indexes",
        # They are of no index: it is the IAM role that holds deletes there to the prefix.
        "cluster_permissions": ["cluster:admin/cold/*"],
        "index_permissions": [
            {
                "index_patterns": list(patterns),
                "allowed_actions": ["indices:monitor/settings/get", "indices:admin/delete"],
            }
        ],
    }


def _request(master: OpenSearch, method: str, path: str, body: Any = None) -> None:
    try:
        master.transport.perform_request(method, _API + path, body=body)
    except NotFoundError as missing:
        if method != "DELETE":
            raise judge_failure(missing).as_error() from missing
    except RequestError as refusal:
        raise ConfigurationError(
            f"the security plugin refuses {method} {path}: {judge_failure(refusal).reason}; leave "
            "OpenSearchMasterSecretArn empty where there is no fine-grained access control"
        ) from refusal
    except OpenSearchException as failure:
        raise judge_failure(failure).as_error() from failure
