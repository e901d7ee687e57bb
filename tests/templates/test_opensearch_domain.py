"""The domain for those who have none is closed, encrypted and kept; the setup maps the roles."""

import json

import pytest

from tests.templates.expansion import as_list, decide, of_type, read, statements

NAME = "scenarios/opensearch_domain.yaml"
INDEXING = {
    "scenarios/s3_to_opensearch.yaml": {"IndexFunctionRole", "IndexParquetFunctionRole"},
    "scenarios/stream_to_opensearch.yaml": {"IndexStreamFunctionRole"},
}
SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:master"


def domain(**parameters):
    return decide(NAME, **parameters)["Domain"]


def test_it_and_the_secret_of_its_master_user_survive_the_stack():
    resources = decide(NAME)
    for logical_id in ("Domain", "MasterUser"):
        kept = resources[logical_id]
        assert kept["DeletionPolicy"] == kept["UpdateReplacePolicy"] == "Retain"


def test_it_is_encrypted_everywhere_and_speaks_tls_alone():
    properties = domain()["Properties"]
    assert properties["EncryptionAtRestOptions"] == {"Enabled": True}
    assert properties["NodeToNodeEncryptionOptions"] == {"Enabled": True}
    endpoint = properties["DomainEndpointOptions"]
    assert endpoint["EnforceHTTPS"] is True
    assert endpoint["TLSSecurityPolicy"].startswith("Policy-Min-TLS-1-2-")
    with_key = domain(KmsKeyArn="arn:key")["Properties"]["EncryptionAtRestOptions"]
    assert with_key == {"Enabled": True, "KmsKeyId": "arn:key"}


def test_its_master_user_has_a_password_that_nobody_wrote_or_is_a_role():
    by_secret = domain()["Properties"]["AdvancedSecurityOptions"]
    assert by_secret["Enabled"] is by_secret["InternalUserDatabaseEnabled"] is True
    password = by_secret["MasterUserOptions"]["MasterUserPassword"]
    assert password == "{{resolve:secretsmanager:${MasterUser}:SecretString:password}}"
    by_role = decide(NAME, DomainMasterRoleArn="arn:role")
    assert "MasterUser" not in by_role
    options = by_role["Domain"]["Properties"]["AdvancedSecurityOptions"]
    assert options["InternalUserDatabaseEnabled"] is False
    assert options["MasterUserOptions"] == {"MasterUserARN": "arn:role"}


def test_who_does_not_sign_reaches_nothing_but_the_mapping_of_roles():
    for parameters in ({}, {"DomainMasterRoleArn": "arn:role"}):
        for statement in statements(domain(**parameters)["Properties"]["AccessPolicies"]):
            resource = str(statement["Resource"])
            assert ":domain/service-logs-" in resource
            if statement["Principal"] == {"AWS": "*"}:
                assert parameters == {}
                assert "/_plugins/_security/api/*" in resource
            else:
                assert statement["Principal"] == {"AWS": "arn:aws:iam::111122223333:root"}


def test_it_is_in_a_vpc_where_subnets_are_given():
    assert "VPCOptions" not in domain()["Properties"]
    inside = domain(
        DomainSubnetIds="subnet-1,subnet-2", DomainSecurityGroupIds="sg-1", DomainZones="2"
    )
    assert inside["Properties"]["VPCOptions"] == {
        "SubnetIds": ["subnet-1", "subnet-2"],
        "SecurityGroupIds": ["sg-1"],
    }
    cluster = inside["Properties"]["ClusterConfig"]
    assert cluster["ZoneAwarenessEnabled"] is True
    assert cluster["ZoneAwarenessConfig"] == {"AvailabilityZoneCount": "2"}
    assert domain()["Properties"]["ClusterConfig"]["ZoneAwarenessEnabled"] is False


def test_its_own_log_is_published_where_asked_by_this_domain_alone():
    assert "DomainLogPolicy" not in decide(NAME)
    resources = decide(NAME, DomainPublishesLogs="true")
    published = resources["Domain"]["Properties"]["LogPublishingOptions"]
    assert set(published) == {"ES_APPLICATION_LOGS"}
    policy = json.loads(resources["DomainLogPolicy"]["Properties"]["PolicyDocument"])
    (statement,) = policy["Statement"]
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": "111122223333"}
    assert ":domain/service-logs-0123456789ab" in str(statement["Condition"]["ArnLike"])


def test_the_domain_is_changed_by_no_other_template():
    for name in (*INDEXING, "template.yaml"):
        kinds = {resource["Type"] for resource in read(name)["Resources"].values()}
        assert not [kind for kind in kinds if "OpenSearchService" in kind]
        for statement in statements(read(name)):
            changes = [a for a in as_list(statement["Action"]) if a.startswith("es:")]
            assert not [action for action in changes if not action.startswith("es:ESHttp")]


@pytest.mark.parametrize("name", INDEXING)
def test_the_setup_maps_the_roles_of_its_scenario_with_the_secret_that_it_alone_reads(name):
    resources = decide(name, OpenSearchMasterSecretArn=SECRET)
    access = resources["SearchEngine"]["Properties"]["Access"]
    mapped = {role["Fn::GetAtt"][0] for role in access["IndexingRoleArns"]}
    assert mapped == INDEXING[name]
    assert [role["Fn::GetAtt"][0] for role in access["SetUpRoleArns"]] == ["SetUpFunctionRole"]
    assert access["MasterSecretArn"] == SECRET
    readers = [
        logical_id
        for logical_id, role in of_type(resources, "AWS::IAM::Role").items()
        if SECRET in str(role)
    ]
    assert readers == ["SetUpFunctionRole"]
    # Without the secret the setup says who is to be mapped.
    assert decide(name)["SearchEngine"]["Properties"]["Access"] == access | {"MasterSecretArn": ""}


@pytest.mark.parametrize("name", INDEXING)
def test_the_setup_runs_again_for_another_text_alone(name):
    def asked(**parameters):
        return decide(name, **parameters)["SearchEngine"]["Properties"]

    assert asked(SetUpAgain="2") != asked(SetUpAgain="1")
    assert asked(SetUpAgain="2") | {"Again": ""} == asked()
