"""Each statement of each role, and each action in it, is needed by something that the role does.

What a role does is tried without its statements (trials.py), and what nothing asks for in the
emulator is listed with the reason (listed_rights.py). A new statement is neither, and fails here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import cache, cached_property, partial
from pathlib import Path

import pytest

from tests.end_to_end import trials_of_enqueue as enqueue
from tests.end_to_end import trials_of_lake as lake
from tests.end_to_end import trials_of_log_groups as log_groups
from tests.end_to_end import trials_of_member as member
from tests.end_to_end import trials_of_search as search
from tests.end_to_end.conftest import Running
from tests.end_to_end.listed_rights import LISTED
from tests.end_to_end.rights import Statement
from tests.end_to_end.trials import Account, Needed, Step
from tests.templates.expansion import (
    SCENARIOS,
    as_list,
    decide,
    expand,
    of_type,
    read,
    rights_by_role,
)

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(300)]

type Key = tuple[str, str]
"""A scenario by its name in the root or as the member account's, and a role's logical id in it."""

DOMAIN = "arn:aws:es:eu-west-1:111122223333:domain/logs"


class Proof:
    """What was shown of the roles of a running stack, each when it is asked for first."""

    def __init__(self, running: Running, folder: Path) -> None:
        self.account = Account(running)
        self.search = search.Search(self.account)
        self.lake = lake.Steps(self.account, folder)
        self._needed: dict[Key, Needed] = {}
        self._requests: dict[Key, set[tuple[str, str]]] = {}
        self._asked: dict[Key, set[tuple[str, str]]] = {}

    @cached_property
    def member(self) -> member.Member:
        """Give the account whose logs are read too, with all that its template makes."""
        return member.Member(self.account.running)

    def account_of(self, key: Key) -> Account:
        """Give the account that has a role."""
        return self.member if key[0] == member.SCENARIO else self.account

    def needed(self, key: Key) -> Needed:
        """Say what fails without each statement of a role."""
        if key not in self._needed:
            self._requests[key] = self._watched(partial(self._try_out, key))
        return self._needed[key]

    def _try_out(self, key: Key) -> None:
        steps = TRIALS[key](self)
        account = self.account_of(key)
        self._needed[key] = account.try_out(account.role(*key), steps)

    def asked(self, key: Key) -> set[tuple[str, str]]:
        """Give which statement of a role was asked for which action."""
        if key not in self._asked:
            self._asked[key] = self._look(key)
        return self._asked[key]

    def _look(self, key: Key) -> set[tuple[str, str]]:
        if key in TRIALS:
            self.needed(key)
        if key in CALLS and key not in self._requests:
            self._requests[key] = self._watched(partial(CALLS[key], self))
        asked = {
            (f"es:ESHttp{method.title()}", DOMAIN + path, "")
            for method, path in self._requests.get(key, ())
        }
        template = SCENARIO_OF.get(key[0], "")
        statements = [one for role, one in _of_domain(template) if role == key[1]]
        account = self.account_of(key)
        if key[1] in account.ids(key[0]):
            role = account.role(*key)
            since = account.asked.since()
            asked |= {
                (one.action, one.resource, one.owner) for one in since if one.role == role.name
            }
            statements += role.statements.values()
        return {
            (one.sid, action)
            for action, resource, owner in asked
            for one in statements
            if one.allows(action, resource, owner)
        }

    def _watched(self, work: Callable[[], object]) -> set[tuple[str, str]]:
        """Do something, and give what it asked the search engine for."""
        requests = self.account.running.front.requests
        before = len(requests)
        work()
        return set(requests[before:])


@cache
def _of_domain(template: str) -> list[tuple[str, Statement]]:
    """Give the statements about a domain, of roles that sign their requests."""
    signing = {"OpenSearchAuth": "sigv4", "OpenSearchArn": DOMAIN, "DeleteAfterDays": "90"}
    resources = decide(template, **signing) if template else {}
    return [
        (role, Statement.read(one))
        for role, one in rights_by_role(resources)
        if any(action.startswith("es:") for action in as_list(one["Action"]))
    ]


def _scenarios() -> dict[str, str]:
    """Give each scenario's template, by its name in the root, and the member account's."""
    nested = of_type(read("template.yaml")["Resources"], "AWS::Serverless::Application")
    found = {name: one["Properties"]["Location"].removeprefix("./") for name, one in nested.items()}
    return found | {member.SCENARIO: "scenarios/member_account.yaml"}


SCENARIO_OF = _scenarios()

TRIALS: dict[Key, Callable[[Proof], list[Step]]] = {
    ("LogBucket", "ConfigureBucketFunctionRole"): lambda p: log_groups.of_configure_bucket(
        p.account
    ),
    ("S3ToOpenSearch", "IndexFunctionRole"): lambda p: search.of_index(p.search),
    ("S3ToOpenSearch", "IndexParquetFunctionRole"): lambda p: search.of_index_parquet(p.search),
    ("S3ToOpenSearch", "SetUpFunctionRole"): lambda p: search.of_set_up(p.search, "S3ToOpenSearch"),
    ("StreamToOpenSearch", "IndexStreamFunctionRole"): lambda p: search.of_index_stream(p.search),
    ("StreamToOpenSearch", "SetUpFunctionRole"): lambda p: search.of_set_up(
        p.search, "StreamToOpenSearch"
    ),
    ("RdsToS3", "SubscribeFunctionRole"): lambda p: log_groups.of_subscribe(p.account, "RdsToS3"),
    ("RdsToS3", "SubscriptionRole"): lambda p: log_groups.of_subscription(p.account, "RdsToS3"),
    ("RdsToS3", "FirehoseRole"): lambda p: log_groups.of_firehose(p.account, "RdsToS3"),
    ("LogGroupsToStream", "SubscribeFunctionRole"): lambda p: log_groups.of_subscribe(
        p.account, "LogGroupsToStream"
    ),
    ("LogGroupsToStream", "SubscriptionRole"): lambda p: log_groups.of_subscription(
        p.account, "LogGroupsToStream"
    ),
    ("RdsToS3", "DestinationRole"): lambda p: log_groups.of_destination(
        p.account, "RdsToS3", p.member
    ),
    ("LogGroupsToStream", "DestinationRole"): lambda p: log_groups.of_destination(
        p.account, "LogGroupsToStream", p.member
    ),
    ("S3ToLightEngine", "SetUpFunctionRole"): lambda p: lake.of_set_up(p.lake),
    ("S3ToLightEngine", "StageFunctionRole"): lambda p: lake.of_stage(p.lake),
    ("S3ToLightEngine", "PlanFunctionRole"): lambda p: lake.of_plan(p.lake),
    ("S3ToLightEngine", "ConvertFunctionRole"): lambda p: lake.of_convert(p.lake),
    ("S3ToLightEngine", "SplitFunctionRole"): lambda p: lake.of_split(p.lake),
    ("S3ToLightEngine", "ListTablesFunctionRole"): lambda p: lake.of_list_tables(p.lake),
    ("S3ToLightEngine", "PublishFunctionRole"): lambda p: lake.of_publish(p.lake),
    ("S3ToLightEngine", "PickFunctionRole"): lambda p: lake.of_pick(p.lake),
    ("S3ToLightEngine", "CompactFunctionRole"): lambda p: lake.of_compact(p.lake),
    ("S3ToLightEngine", "ExpireFunctionRole"): lambda p: lake.of_expire(p.lake),
    ("S3ToLightEngine", "ConvertLogsRole"): lambda p: lake.of_machine(p.lake, "ConvertLogsArn"),
    ("S3ToLightEngine", "CompactPartitionsRole"): lambda p: lake.of_machine(
        p.lake, "CompactPartitionsArn"
    ),
    ("EnqueueObjects", "EnqueueFunctionRole"): lambda p: enqueue.of_enqueue(p.account),
    ("EnqueueObjects", "EnqueueObjectsRole"): lambda p: enqueue.of_machine(p.account, p.lake.runs),
    (member.SCENARIO, "ConfigureBucketFunctionRole"): lambda p: member.of_configure_bucket(
        p.member
    ),
    (member.SCENARIO, "ForwardRole"): lambda p: member.of_forward(p.member, p.account),
    (member.SCENARIO, "SubscribeFunctionRole"): lambda p: log_groups.of_subscribe(
        p.member, member.SCENARIO
    ),
    (member.SCENARIO, "SubscriptionRole"): lambda p: member.of_subscription(p.member, p.account),
}


# Of functions that the local stack does not have: what they ask the search engine for.
CALLS: dict[Key, Callable[[Proof], None]] = {
    (scenario, "DeleteExpiredIndexesFunctionRole"): lambda p: search.delete_expired_indexes(
        p.search
    )
    for scenario in ("S3ToOpenSearch", "StreamToOpenSearch")
}


@pytest.fixture(scope="module")
def proof(untouched: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proof]:
    proof = Proof(untouched, tmp_path_factory.mktemp("lake"))
    with proof.account.without_mappings(), proof.search.refusing("alb", "vpc_flow"):
        yield proof


@pytest.mark.parametrize(("scenario", "role"), TRIALS)
def test_what_a_role_does_fails_without_each_statement_that_it_was_refused_for_want_of(
    proof: Proof, scenario: str, role: str
) -> None:
    needed = proof.needed((scenario, role))
    sys.stdout.write("".join(f"{what}: not without {sid}\n" for sid, what in needed.items()))


def _roles() -> Iterator[tuple[str, str, str, dict[str, set[str]]]]:
    """Give each role of each template, where it is deployed, and the actions of its statements."""
    nested = {template: scenario for scenario, template in reversed(SCENARIO_OF.items())}
    for template in SCENARIOS:
        of_roles: dict[str, dict[str, set[str]]] = {}
        for role, statement in rights_by_role(expand(template)["Resources"]):
            actions = of_roles.setdefault(role, {}).setdefault(statement["Sid"], set())
            actions |= set(as_list(statement["Action"]))
        for role, of_statements in of_roles.items():
            yield template, nested.get(template, ""), role, of_statements


@pytest.mark.parametrize(
    ("scenario", "role", "statements"),
    [pytest.param(*one[1:], id=f"{Path(one[0]).stem}-{one[2]}") for one in _roles()],
)
def test_each_action_of_each_statement_of_a_role_is_asked_for_or_listed(
    proof: Proof, scenario: str, role: str, statements: dict[str, set[str]]
) -> None:
    asked = proof.asked((scenario, role))
    listed = {right for one in LISTED for right in one.rights}
    written = {(sid, action) for sid, actions in statements.items() for action in actions}
    assert written - asked - listed == set(), "needed by nothing: take it out of the template"


def test_nothing_is_listed_that_is_asked_for_or_is_no_right_of_any_role(proof: Proof) -> None:
    lacking = {
        (sid, action)
        for _, scenario, role, statements in _roles()
        for sid, actions in statements.items()
        for action in actions
        if (sid, action) not in proof.asked((scenario, role))
    }
    assert {right for one in LISTED for right in one.rights} <= lacking
