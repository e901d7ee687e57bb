"""IAM decides about named queries by their workgroup, and a named query is changed in place."""

import asyncio
import json

import pytest
from ministack.services import athena

from local.stand_ins import named_queries

PLACE = ("us-east-1", "000000000000")


def ask(action, **request):
    headers = {"x-amz-target": f"AmazonAthena.{action}"}
    answer = named_queries.handle("POST", "/", headers, json.dumps(request).encode(), {})
    status, _, body = asyncio.run(answer)
    return status, json.loads(body)


@pytest.fixture
def made():
    athena._named_queries.clear()
    query = {"Name": "q", "Database": "d", "QueryString": "SELECT 1", "WorkGroup": "ours"}
    return ask("CreateNamedQuery", **query)[1]["NamedQueryId"]


def resource(**request):
    body = json.dumps(request).encode()
    return named_queries.resource("athena", "POST", "/", {}, body, {}, *PLACE)


def test_the_workgroup_of_the_queries_that_are_named_decides(made):
    ours = "arn:aws:athena:us-east-1:000000000000:workgroup/ours"
    assert resource(NamedQueryIds=[made]) == resource(NamedQueryId=made) == ours
    assert resource(WorkGroup="theirs") == ours.replace("ours", "theirs")


def test_nothing_is_said_of_queries_that_are_not_there_or_in_several_workgroups(made):
    other = ask("CreateNamedQuery", Name="o", QueryString="SELECT 2", WorkGroup="theirs")
    assert resource(NamedQueryIds=[made, other[1]["NamedQueryId"]]) == "*"
    assert resource(NamedQueryId="unknown") == resource() == "*"


def test_a_query_is_changed_under_its_id_and_stays_in_its_database(made):
    assert ask("UpdateNamedQuery", NamedQueryId=made, Name="new", QueryString="SELECT 3")[0] == 200
    (found,) = ask("BatchGetNamedQuery", NamedQueryIds=[made])[1]["NamedQueries"]
    assert (found["Name"], found["QueryString"], found["Database"]) == ("new", "SELECT 3", "d")


def test_a_query_that_is_not_there_cannot_be_changed(made):
    assert ask("UpdateNamedQuery", NamedQueryId="unknown", Name="new")[0] == 400
