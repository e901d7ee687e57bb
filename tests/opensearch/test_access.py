"""The setup lets the functions' roles into a domain with fine-grained access control, and no more.

On a real OpenSearch 2.19.4 with the security plugin. Who signs with an IAM role has its ARN as a
backend role there; here users have it, who sign in by name.
"""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from opensearchpy import OpenSearch
from opensearchpy.exceptions import AuthorizationException

from servicelogs.errors import ClusterNeedsFixing, ConfigurationError
from servicelogs.opensearch.access import (
    Access,
    allow,
    deleting_role,
    indexing_role,
    set_up_role,
    withdraw,
)
from servicelogs.opensearch.indexes import indexes_of
from servicelogs.opensearch.setup import set_up, template_check
from servicelogs.settings import IndexSettings
from tests.opensearch.scripted_server import ScriptedServer, error
from tests.secured_engine import MASTER, PASSWORD, Secured
from tests.templates.expansion import ROOT

INDEXER, SETUP, DELETER, STRANGER = (
    f"arn:aws:iam::111122223333:role/path/{name}"
    for name in ("indexer", "setup", "deleter", "stranger")
)
API = "/_plugins/_security/api"


@dataclass
class Domain:
    """The engine, with a user for each IAM role."""

    engine: Secured
    prefix: str

    def client(self, user: str = MASTER, password: str = PASSWORD) -> OpenSearch:
        return OpenSearch(
            self.engine.url,
            http_auth=(user, password),
            ca_certs=str(self.engine.authority),
            ssl_assert_hostname=False,
            max_retries=0,
            timeout=60,
        )

    def signed_by(self, arn: str) -> OpenSearch:
        """Give a client of a user who is mapped as the role is."""
        user = f"{self.prefix}-{arn.rpartition('/')[2]}"
        self.ask("PUT", f"/internalusers/{user}", {"password": PASSWORD, "backend_roles": [arn]})
        return self.client(user)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        return self.client().transport.perform_request(method, API + path, body=body)

    def settings(self) -> IndexSettings:
        return IndexSettings(prefix=self.prefix, replicas=0)

    def access(self) -> Access:
        return Access(
            name=self.prefix,
            indexing_roles=[INDEXER],
            set_up_roles=[SETUP],
            deleting_roles=[DELETER],
        )


@pytest.fixture
def domain(secured: Secured) -> Domain:
    return Domain(secured, f"t{uuid.uuid4().hex[:8]}")


def refused(what: Callable[..., Any], *arguments: Any, **more: Any) -> None:
    with pytest.raises(AuthorizationException):
        what(*arguments, **more)


def document(domain: Domain, prefix: str = "") -> str:
    action = {"create": {"_index": f"{prefix or domain.prefix}-alb-2026.11.23", "_id": "1"}}
    return f"{json.dumps(action)}\n" + '{"elb": "shop"}\n'


def created(client: OpenSearch, body: str) -> int:
    (item,) = client.bulk(body=body)["items"]
    return int(item["create"]["status"])


def test_roles_that_are_not_mapped_may_nothing_and_their_setup_says_so(domain: Domain) -> None:
    with pytest.raises(ClusterNeedsFixing, match="security_exception"):
        set_up(domain.signed_by(SETUP), domain.settings(), ["alb"])
    assert created(domain.signed_by(INDEXER), document(domain)) == 403


def test_mapped_roles_may_what_their_functions_do_and_nothing_beyond(domain: Domain) -> None:
    for _ in range(2):  # again, it changes nothing
        allow(domain.client(), domain.access(), domain.prefix)
    setup, indexer = domain.signed_by(SETUP), domain.signed_by(INDEXER)
    set_up(setup, domain.settings(), ["alb"])
    template_check(indexer, domain.settings())("alb")
    assert created(indexer, document(domain)) == 201
    assert created(indexer, document(domain)) == 409
    index = f"{domain.prefix}-alb-2026.11.23"
    assert indexer.mget(body={"docs": [{"_index": index, "_id": "1"}]})["docs"][0]["found"]
    indexer.search(index=f"{domain.prefix}-*", body={"query": {"ids": {"values": ["1"]}}})
    # Neither deletes, nor reaches what another prefix begins, nor does the other's work.
    refused(indexer.delete, index=index, id="1")
    refused(indexer.indices.delete, index=index)
    assert created(indexer, document(domain, "other")) == 403
    refused(indexer.indices.put_index_template, name=domain.prefix, body={"index_patterns": ["x"]})
    assert created(setup, document(domain)) == 403
    refused(setup.indices.delete, index=index)
    refused(setup.search, index=index)
    refused(domain.signed_by(STRANGER).search, index=index)
    deleter = domain.signed_by(DELETER)
    assert created(deleter, document(domain)) == 403
    refused(deleter.search, index=index)
    assert indexes_of(deleter, [f"{domain.prefix}-*"]) == [index]
    deleter.indices.delete(index=index)
    refused(indexer.transport.perform_request, "GET", f"{API}/rolesmapping")


def test_what_others_made_stays_and_what_is_ours_goes(domain: Domain) -> None:
    before = domain.ask("GET", "/rolesmapping")
    allow(domain.client(), domain.access(), domain.prefix)
    now = domain.ask("GET", "/rolesmapping")
    ours = set(domain.access().security_roles())
    assert set(now) - set(before) == ours
    assert {name: now[name] for name in before} == before
    for _ in range(2):
        withdraw(domain.client(), domain.access())
    assert domain.ask("GET", "/rolesmapping") == before
    assert not ours & set(domain.ask("GET", "/roles"))


def test_a_changed_role_takes_the_place_of_the_one_before(domain: Domain) -> None:
    allow(domain.client(), domain.access(), domain.prefix)
    other = Access(name=domain.prefix, indexing_roles=[STRANGER], set_up_roles=[SETUP])
    allow(domain.client(), other, domain.prefix)
    assert created(domain.signed_by(INDEXER), document(domain)) == 403
    assert created(domain.signed_by(STRANGER), document(domain)) == 201


def test_a_wrong_password_is_told_from_a_role_that_is_not_mapped(domain: Domain) -> None:
    with pytest.raises(ClusterNeedsFixing, match="401"):
        # pragma: allowlist nextline secret: wrong on purpose
        allow(domain.client(password="wrong"), domain.access(), domain.prefix)


def test_an_engine_without_the_plugin_is_an_error_that_says_what_to_do(
    scripted: ScriptedServer, client_of: Callable[[str], OpenSearch]
) -> None:
    scripted.script = lambda request: error(400, "illegal_argument_exception", "no handler found")
    access = Access(name="x", indexing_roles=[INDEXER], set_up_roles=[SETUP])
    with pytest.raises(ConfigurationError, match="leave OpenSearchMasterSecretArn empty"):
        allow(client_of(scripted.url), access, "aws")


def test_the_role_that_deletes_reaches_cold_storage_too() -> None:
    """Listing it comes before every delete: refused, nothing at all would be deleted."""
    assert "cluster:admin/cold/*" in deleting_role(["aws-*"])["cluster_permissions"]


def test_the_page_shows_what_the_setup_puts() -> None:
    page = (ROOT / "docs/opensearch.md").read_text()
    for role in (indexing_role([]), set_up_role([]), deleting_role([])):
        for permission in [
            *role["cluster_permissions"],
            *role["index_permissions"][0]["allowed_actions"],
        ]:
            assert f'"{permission}"' in page
