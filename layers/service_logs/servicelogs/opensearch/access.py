"""Let the functions' IAM roles into a domain with fine-grained access control.

By the security plugin's API, as the domain's master user: security roles of this deployment's own,
one for each thing that its functions do, mapped to the IAM roles that do it, or to the user by
whose name all of them sign in. Nothing else there is touched.
https://docs.opensearch.org/latest/security/access-control/api/
"""

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import boto3
from opensearchpy import OpenSearch
from opensearchpy.exceptions import (
    AuthorizationException,
    ConflictError,
    NotFoundError,
    OpenSearchException,
    RequestError,
)

from servicelogs.errors import ClusterNeedsFixing, ConfigurationError, ServiceLogsError
from servicelogs.opensearch.answers import Guard, judge_failure
from servicelogs.opensearch.client import SecretPassword, connect
from servicelogs.settings import (
    DashboardsSettings,
    IndexSettings,
    SearchSettings,
    read_settings,
)

logger = logging.getLogger(__name__)

_API = "_plugins/_security/api"
_DOES = ("setting-up", "indexing", "deleting", "importing")
"""How the names of the security roles end."""
_PAUSES = (0.1, 0.5, 2.0)
"""Seconds until it is asked again where another setup changed roles: all are one document."""


class Call(NamedTuple):
    """A request to the security plugin's API."""

    path: str
    body: Mapping[str, Any]

    def __str__(self) -> str:
        """Write it as consoles take it, on one line."""
        return f"PUT {self.path} {json.dumps(self.body, separators=(',', ':'))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who asks what of the search engine, and what the security roles for that begin with."""

    name: str
    index_prefix: str
    indexing_roles: Sequence[str]
    """ARNs of the roles of the functions that index."""
    set_up_roles: Sequence[str]
    """ARNs of the roles that put the mapping templates."""
    deleting_roles: Sequence[str] = ()
    """ARNs of the roles of the functions that delete expired indexes."""
    user: str = ""
    """By whose name all of them sign in, if they do not sign as their roles."""
    imports_dashboards: bool = False
    """Whether the setup does that too."""

    def roles(self) -> list[str]:
        """Give the IAM roles of all functions that ask."""
        return [*self.set_up_roles, *self.indexing_roles, *self.deleting_roles]

    def calls(self) -> list[Call]:
        """Say how the security roles are made and mapped; again, it changes nothing."""
        calls = []
        for does, (role, arns) in self._needed().items():
            name = f"{self.name}-{does}"
            # A role's ARN is the backend role of who signs with it.
            mapped = {"users": [self.user]} if self.user else {"backend_roles": list(arns)}
            calls.append(Call(f"{_API}/roles/{name}", role))
            calls.append(Call(f"{_API}/rolesmapping/{name}", mapped))
        return calls

    def not_needed(self) -> list[str]:
        """Name the security roles of an earlier deployment that nobody needs any more."""
        return [f"{self.name}-{does}" for does in _DOES if does not in self._needed()]

    def _needed(self) -> dict[str, tuple[dict[str, Any], Sequence[str]]]:
        patterns = [f"{self.index_prefix}-*"]
        each = {
            "setting-up": (set_up_role(patterns), self.set_up_roles),
            "indexing": (indexing_role(patterns), self.indexing_roles),
            "deleting": (deleting_role(patterns), self.deleting_roles),
            "importing": (importing_role(), self.set_up_roles if self.imports_dashboards else ()),
        }
        return {does: (role, arns) for does, (role, arns) in each.items() if arns}


def access_of(asked: Mapping[str, Any], search: SearchSettings, indexes: IndexSettings) -> Access:
    """Read who asks from the member `Access` of CloudFormation's properties."""
    by_name = search.auth == "basic"
    return Access(
        name=asked["Name"],
        index_prefix=indexes.prefix,
        indexing_roles=asked["IndexingRoleArns"],
        set_up_roles=asked["SetUpRoleArns"],
        deleting_roles=asked["DeletingRoleArns"],
        user=SecretPassword(search.secret_arn, boto3.Session()).user if by_name else "",
        imports_dashboards=bool(read_settings(DashboardsSettings).endpoint),
    )


def let_in(access: Access, search: SearchSettings, master_secret_arn: str) -> None:
    """Let in who asks, by the master user whose secret this is."""
    allow(_as_master(search, master_secret_arn), access)
    logger.info("roles are mapped", extra={"security_roles": f"{access.name}-*"})


def take_out(properties: Mapping[str, Any]) -> None:
    """Take the access away that was given; a domain that cannot be reached keeps it."""
    asked = properties.get("Access", {})
    if secret := asked.get("MasterSecretArn"):
        try:
            withdraw(_as_master(read_settings(SearchSettings), secret), asked["Name"])
        except ServiceLogsError as error:
            # The stack goes whatever becomes of the domain; roles that are gone can do nothing.
            logger.warning("security roles stay", extra={"error": str(error)})


def _as_master(search: SearchSettings, secret_arn: str) -> OpenSearch:
    return connect(replace(search, auth="basic", secret_arn=secret_arn))


def allow(master: OpenSearch, access: Access) -> None:
    """Make the security roles as they must be, and map them."""
    for call in access.calls():
        _request(master, "PUT", call.path, call.body)
    _delete(master, access.not_needed())


def withdraw(master: OpenSearch, name: str) -> None:
    """Take away all mappings and roles that begin with a name."""
    _delete(master, [f"{name}-{does}" for does in _DOES])


def _delete(master: OpenSearch, names: Iterable[str]) -> None:
    for name in names:
        for kind in ("rolesmapping", "roles"):
            _request(master, "DELETE", f"{_API}/{kind}/{name}")


def indexing_role(patterns: Sequence[str]) -> dict[str, Any]:
    """Say what functions that index may do: make indexes and documents, and never delete."""
    return {
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
        # They are of no index: it is the IAM role that holds deletes there to the prefix.
        "cluster_permissions": ["cluster:admin/cold/*"],
        "index_permissions": [
            {
                "index_patterns": list(patterns),
                "allowed_actions": ["indices:monitor/settings/get", "indices:admin/delete"],
            }
        ],
    }


def importing_role() -> dict[str, Any]:
    """Say what whoever imports dashboards may do: write what all see in OpenSearch Dashboards.

    Dashboards asks as who asked it. Of a request for the global tenant the plugin wants both: a
    tenant that may be written, and the index that lies below. Private tenants have other indexes.
    """
    return {
        "cluster_permissions": ["indices:data/write/bulk", "indices:data/read/mget"],
        "index_permissions": [
            {
                "index_patterns": [".kibana"],
                "allowed_actions": ["read", "indices:data/write/index", "indices:data/write/bulk*"],
            }
        ],
        "tenant_permissions": [
            {"tenant_patterns": ["global_tenant"], "allowed_actions": ["kibana_all_write"]}
        ],
    }


def _request(master: OpenSearch, method: str, path: str, body: Any = None) -> None:
    try:
        _without_conflict(lambda: master.transport.perform_request(method, f"/{path}", body=body))
    except NotFoundError as missing:
        if method != "DELETE":
            raise judge_failure(missing).as_error() from missing
    except RequestError as refusal:
        raise ConfigurationError(
            f"the security plugin refuses {method} {path}: {judge_failure(refusal).reason}; leave "
            "OpenSearchMasterSecretArn empty where there is no fine-grained access control"
        ) from refusal
    except AuthorizationException as refusal:
        raise _refused_as_master(refusal) from refusal
    except OpenSearchException as failure:
        raise judge_failure(failure).as_error() from failure


def _without_conflict(ask: Callable[[], object]) -> None:
    for pause in _PAUSES:
        try:
            ask()
        except ConflictError:
            time.sleep(pause)
        else:
            return
    ask()


def _refused_as_master(refusal: AuthorizationException) -> ClusterNeedsFixing:
    finding = judge_failure(refusal)
    remedy = (
        f"the domain's access policy must let requests to {_API} in that are not signed (Principal "
        '{"AWS":"*"}), as the master user\'s are'
        if finding.guard is Guard.DOMAIN_POLICY
        else "it must be the secret of the domain's master user"
    )
    return ClusterNeedsFixing(
        f"the user of OpenSearchMasterSecretArn may not map roles ({finding.reason}): {remedy}"
    )
