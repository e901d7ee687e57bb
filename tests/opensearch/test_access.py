"""The setup lets the functions' roles into a domain with fine-grained access control, and no more.

On a real OpenSearch 2.19.4 with the security plugin. Who signs with an IAM role has its ARN as a
backend role there; here users have it, who sign in by name.
"""

import json
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from opensearchpy import OpenSearch
from opensearchpy.exceptions import AuthorizationException

from servicelogs.errors import ClusterNeedsFixing, ConfigurationError
from servicelogs.opensearch.access import Access, allow, withdraw
from servicelogs.opensearch.answers import Guard, NotPermitted
from servicelogs.opensearch.indexes import indexes_of
from servicelogs.opensearch.remedies import with_remedy
from servicelogs.opensearch.setup import set_up, template_check
from servicelogs.settings import IndexSettings
from tests.opensearch.scripted_server import Answer, Request, ScriptedServer, error
from tests.secured_engine import MASTER, PASSWORD, Secured
from tests.templates.expansion import ROOT

# All users are in one document, and all roles: who changes them at once is told of a conflict.
pytestmark = pytest.mark.xdist_group("secured")

INDEXER, SETUP, DELETER, STRANGER = "indexer", "setup", "deleter", "stranger"
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

    def arn(self, role: str) -> str:
        """Give the ARN of a role that only this test has."""
        return f"arn:aws:iam::111122223333:role/path/{self.prefix}-{role}"

    def signed_by(self, role: str) -> OpenSearch:
        """Give a client of a user who is mapped as the role is."""
        user = {"password": PASSWORD, "backend_roles": [self.arn(role)]}
        self.ask("PUT", f"/internalusers/{self.prefix}-{role}", user)
        return self.client(f"{self.prefix}-{role}")

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        return self.client().transport.perform_request(method, API + path, body=body)

    def settings(self) -> IndexSettings:
        return IndexSettings(prefix=self.prefix, replicas=0)

    def access(self, **changed: Any) -> Access:
        everything: dict[str, Any] = {
            "name": self.prefix,
            "index_prefix": self.prefix,
            "indexing_roles": [self.arn(INDEXER)],
            "set_up_roles": [self.arn(SETUP)],
            "deleting_roles": [self.arn(DELETER)],
            "imports_dashboards": True,
        }
        return Access(**everything | changed)

    def roles(self) -> set[str]:
        """Name our security roles that are there."""
        return {name for name in self.ask("GET", "/roles") if name.startswith(self.prefix)}


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


def what_the_setup_says(domain: Domain, setup: OpenSearch, access: Access) -> str:
    with pytest.raises(NotPermitted) as refused:
        set_up(setup, domain.settings(), ["alb"])
    return with_remedy(refused.value, access, engine_arn="", mapped=False)


def paste(domain: Domain, said: str) -> None:
    """Send what a text says as the master user, as from Dev Tools."""
    calls = re.findall(r"PUT (\S+) (\{.*?\})(?= PUT|$)", said)
    assert calls
    for path, body in calls:
        domain.client().transport.perform_request("PUT", f"/{path}", body=json.loads(body))


def test_what_the_setup_says_lets_the_roles_do_what_their_functions_do_and_nothing_beyond(
    domain: Domain,
) -> None:
    setup, indexer = domain.signed_by(SETUP), domain.signed_by(INDEXER)
    assert created(indexer, document(domain)) == 403
    said = what_the_setup_says(domain, setup, domain.access())
    assert "no permissions for [cluster:admin/component_template/put]" in said
    assert "OpenSearchMasterSecretArn" in said
    paste(domain, said)
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


def test_a_user_who_signs_in_by_name_is_mapped_instead_of_the_roles(domain: Domain) -> None:
    name = f'{domain.prefix}-"log writer"'
    domain.ask("PUT", "/internalusers/" + name.replace(" ", "%20"), {"password": PASSWORD})
    access = domain.access(user=name, deleting_roles=[], imports_dashboards=False)
    said = what_the_setup_says(domain, domain.client(name), access)
    assert domain.arn(SETUP) not in said
    paste(domain, said)
    set_up(domain.client(name), domain.settings(), ["alb"])
    assert created(domain.client(name), document(domain)) == 201


def test_the_remedy_fits_into_what_cloudformation_takes() -> None:
    roles = "arn:aws:iam::111122223333:role/service-logs-production-S3ToOpenSearch-1ABCDEFGHIJK-"
    access = Access(
        name="service-logs-0123456789ab",
        index_prefix="prefix-of-thirty-one-characters",
        imports_dashboards=True,
        set_up_roles=[f"{roles}SetUpFunctionRole-AbCdEfGhIjKl"],
        indexing_roles=[f"{roles}Index{kind}FunctionRole-AbCdEfGhIjKl" for kind in ("", "Parquet")],
        deleting_roles=[f"{roles}DeleteExpiredIndexesFunctionRole-AbCdEfGhIjKl"],
    )
    refusal = NotPermitted("no permissions " * 70, "", Guard.SECURITY_PLUGIN)
    said = with_remedy(refusal, access, engine_arn="", mapped=False)
    assert said.endswith('"]}')
    assert len(json.dumps(said)) < 4000 - 600, "ids take some of it"


@pytest.mark.parametrize(
    ("guard", "user", "says"),
    [
        (
            Guard.DOMAIN_POLICY,
            "",
            (
                '"Principal":{"AWS":["arn:setup","arn:indexer"]},"Action":["es:ESHttpGet",'
                '"es:ESHttpPost","es:ESHttpPut","es:ESHttpDelete"],"Resource":"arn:x/*"}'
            ),
        ),
        # A request with a name and a password is not signed.
        (Guard.DOMAIN_POLICY, "writer", '"Principal":{"AWS":"*"}'),
        (Guard.COLLECTION_POLICY, "", "data access policy service-logs-1 lets in arn:setup"),
    ],
)
def test_what_aws_refuses_before_the_engine_names_the_policy_and_the_statement(
    guard: Guard, user: str, says: str
) -> None:
    access = Access(
        name="service-logs-1",
        index_prefix="aws",
        set_up_roles=["arn:setup"],
        indexing_roles=["arn:indexer"],
        user=user,
    )
    refusal = NotPermitted("OpenSearch answers 403", "", guard)
    said = with_remedy(refusal, access, engine_arn="arn:x", mapped=True)
    assert said.startswith("OpenSearch answers 403. Check that ")
    assert says in said


def test_a_permission_that_the_setup_did_not_map_is_a_fault_of_ours() -> None:
    access = Access(
        name="service-logs-1", index_prefix="aws", set_up_roles=["arn:setup"], indexing_roles=[]
    )
    refusal = NotPermitted("no permissions for [new]", "", Guard.SECURITY_PLUGIN)
    said = with_remedy(refusal, access, engine_arn="arn:x", mapped=True)
    assert "service-logs-1-setting-up, which lacks that permission: map arn:setup to" in said


def test_what_others_made_stays_and_what_is_ours_changes_and_goes(domain: Domain) -> None:
    before = domain.ask("GET", "/rolesmapping")
    master, indexer, stranger = (
        domain.client(),
        domain.signed_by(INDEXER),
        domain.signed_by(STRANGER),
    )
    allow(master, domain.access())
    assert created(indexer, document(domain)) == 201
    now = domain.ask("GET", "/rolesmapping")
    ours = {"setting-up", "indexing", "deleting", "importing"}
    assert set(now) - set(before) == {f"{domain.prefix}-{does}" for does in ours} == domain.roles()
    assert {name: now[name] for name in before} == before

    # Another role, and no more of one.
    allow(master, domain.access(indexing_roles=[domain.arn(STRANGER)], deleting_roles=[]))
    assert domain.roles() == {f"{domain.prefix}-{does}" for does in ours - {"deleting"}}
    assert created(indexer, document(domain)) == 403
    assert created(stranger, document(domain)) == 409

    for _ in range(2):
        withdraw(master, domain.prefix)
    assert domain.ask("GET", "/rolesmapping") == before
    assert not domain.roles()


def test_a_wrong_password_is_told_from_a_role_that_is_not_mapped(domain: Domain) -> None:
    with pytest.raises(ClusterNeedsFixing, match="401"):
        # pragma: allowlist nextline secret: wrong on purpose
        allow(domain.client(password="wrong"), domain.access())


def test_a_user_who_is_no_master_is_told_from_a_role_that_is_not_mapped(domain: Domain) -> None:
    with pytest.raises(ClusterNeedsFixing, match="the secret of the domain's master user"):
        allow(domain.signed_by(STRANGER), domain.access())


def test_a_domain_that_refuses_what_is_not_signed_is_told_from_both(
    scripted: ScriptedServer, client_of: Callable[[str], OpenSearch]
) -> None:
    access = Access(name="x", index_prefix="aws", indexing_roles=["i"], set_up_roles=["s"])
    said = {"Message": "User: anonymous is not authorized to perform: es:ESHttpPut"}
    scripted.script = lambda request: Answer(403, said)
    with pytest.raises(ClusterNeedsFixing, match=r'must let .* in .* \(Principal {"AWS":"\*"}\)'):
        allow(client_of(scripted.url), access)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_roles_that_another_setup_changes_at_once_are_put_and_taken_away_all_the_same(
    scripted: ScriptedServer, client_of: Callable[[str], OpenSearch], method: str
) -> None:
    access = Access(name="x", index_prefix="aws", indexing_roles=["i"], set_up_roles=["s"])
    asked: list[tuple[str, str]] = []

    def conflict_at_first(request: Request) -> Answer:
        asked.append((request.method, request.path))
        said = {"status": "CONFLICT", "message": "[roles]: version conflict"}
        return Answer(409, said) if asked.count(asked[-1]) < 3 else Answer()

    scripted.script = conflict_at_first
    if method == "PUT":
        allow(client_of(scripted.url), access)
    else:
        withdraw(client_of(scripted.url), access.name)
    assert {asked.count(one) for one in asked if one[0] == method} == {3}


def test_an_engine_without_the_plugin_is_an_error_that_says_what_to_do(
    scripted: ScriptedServer, client_of: Callable[[str], OpenSearch]
) -> None:
    scripted.script = lambda request: error(400, "illegal_argument_exception", "no handler found")
    access = Access(name="x", index_prefix="aws", indexing_roles=["i"], set_up_roles=["s"])
    with pytest.raises(ConfigurationError, match="leave OpenSearchMasterSecretArn empty"):
        allow(client_of(scripted.url), access)


KIBANA = {
    "settings": {"number_of_replicas": 0},
    "mappings": {"dynamic": "strict", "properties": {"type": {"type": "keyword"}}},
    "aliases": {".kibana": {}},
}
GLOBAL = {"securitytenant": ""}
"""What Dashboards sends of a request for the global tenant."""


@pytest.fixture
def kibana(domain: Domain) -> Iterator[str]:
    """Make the index of the global tenant as Dashboards does, and that of another tenant."""
    master = domain.client()
    other = f".kibana_92668751_{domain.prefix}_1"
    master.indices.create(index=".kibana_1", body=KIBANA)
    master.indices.create(index=other)
    yield other
    master.indices.delete(index=f".kibana_1,{other}")


def imported(client: OpenSearch, headers: dict[str, str], index: str = ".kibana") -> int:
    """Write a saved object as Dashboards does when it imports it over another; give the status."""
    action = {"index": {"_index": index, "_id": "dashboard:aws.alb"}}
    body = f'{json.dumps(action)}\n{{"type":"dashboard"}}\n'
    (item,) = client.bulk(body=body, params={"refresh": "wait_for"}, headers=headers)["items"]
    return int(item["index"]["status"])


def test_the_setup_may_write_dashboards_for_everybody_and_nothing_else_of_them(
    domain: Domain, kibana: str
) -> None:
    allow(domain.client(), domain.access(deleting_roles=[]))
    setup = domain.signed_by(SETUP)
    # Dashboards asks first who it is, then what is there, then writes.
    info = setup.transport.perform_request("GET", "/_plugins/_security/authinfo")
    assert info["tenants"]["global_tenant"] is True
    setup.mget(body={"docs": [{"_index": ".kibana", "_id": "dashboard:aws.alb"}]}, headers=GLOBAL)
    assert imported(setup, GLOBAL) == 201
    assert imported(setup, GLOBAL) == 200
    found = setup.search(index=".kibana", body={}, headers=GLOBAL)
    assert found["hits"]["total"]["value"] == 1
    refused(setup.delete, index=".kibana", id="dashboard:aws.alb", headers=GLOBAL)
    refused(setup.search, index=kibana, headers=GLOBAL)
    assert imported(setup, GLOBAL, kibana) == 403
    assert imported(setup, {"securitytenant": "theirs"}) == 403
    assert imported(domain.signed_by(INDEXER), GLOBAL) == 403


def test_the_page_shows_what_the_setup_puts() -> None:
    page = (ROOT / "docs/opensearch.md").read_text()
    (block,) = re.findall(r"```json\n(\{\n  \"setting-up\".*?)```", page, re.DOTALL)
    access = Access(
        name="x",
        index_prefix="aws",
        indexing_roles=["i"],
        set_up_roles=["s"],
        deleting_roles=["d"],
        imports_dashboards=True,
    )
    roles = {call.path.rpartition("/x-")[2]: call.body for call in access.calls()[::2]}
    assert json.loads(block) == roles
