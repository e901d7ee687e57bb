"""Samples of AWS Config's history files, snapshots and oversized notifications."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from local.sample_logs import ACCOUNT, REGION, SampleObject, gzipped
from local.sample_logs.clients import hexadecimal

_START = datetime(2026, 11, 5, 0, 0, tzinfo=UTC)
_FOLDER = f"AWSLogs/{ACCOUNT}/Config/{REGION}/2026/11/5"
_TEAMS = ("shop", "billing", "search", "platform")
_GROUPS = [f"sg-0a1b2c3d4e5f6071{n}" for n in range(9)]
_Item = dict[str, Any]


def generate(records: int, rng: random.Random, seconds: int = 21_600) -> bytes:
    return _document([_item(rng) | _captured(rng, seconds) for _ in range(records)])


def objects(rng: random.Random) -> Iterator[SampleObject]:
    items = [_volume(rng) for _ in range(60)]
    key = _history("AWS::EC2::Volume", "20261105T000000Z_20261105T055959Z_1")
    yield SampleObject("config", key, gzipped(_document(items)), len(items))
    groups = [_security_group(rng) for _ in range(30)]
    key = _history("AWS::EC2::SecurityGroup", "20261105T000000Z_20261105T055959Z_1")
    yield SampleObject("config", key, gzipped(_document(groups)), len(groups))
    odd = [*_odd_items(rng)]
    pretty = json.dumps({"fileVersion": "1.0", "configurationItems": odd}, indent=1).encode()
    key = _history("AWS::IAM::Policy", "20261105T000000Z_20261105T055959Z_2")
    yield SampleObject("config", key, gzipped(pretty), len(odd))
    # A snapshot repeats items of any age.
    old = [_item(rng, age=timedelta(hours=7 * n)) for n in range(40)]
    identity = "33333333-4444-4555-8666-777777777777"
    snapshot = _document(old, configSnapshotId=identity)
    key = (
        f"o-a1b2c3d4e5/{_FOLDER}/ConfigSnapshot/"
        f"{ACCOUNT}_Config_{REGION}_ConfigSnapshot_20261105T060000Z_{identity}.json.gz"
    )
    yield SampleObject("config", key, gzipped(snapshot), len(old))
    broken = _document([_bucket(rng) for _ in range(5)]).replace(b'"ARN"', b'"ARN', 1)
    key = _history("AWS::S3::Bucket", "20261105T000000Z_20261105T055959Z_1")
    yield SampleObject("config", key, gzipped(broken), 5, rejected=1)
    name = "AWS::IAM::Role/AROAEXAMPLE/with a slash"
    key = (
        f"{_FOLDER}/OversizedChangeNotification/{name}/{ACCOUNT}_Config_{REGION}"
        "_ChangeNotification_AWS::IAM::Role_AROAEXAMPLE_20261105T061500Z_0.json.gz"
    )
    yield SampleObject("config", key, gzipped(_notification(rng)), 1)
    folder = f"AWSLogs/{ACCOUNT}/Config"
    yield SampleObject("config", f"{folder}/ConfigWritabilityCheckFile", b"", 0)


def _history(resource_type: str, rest: str) -> str:
    name = f"{ACCOUNT}_Config_{REGION}_ConfigHistory_{resource_type}_{rest}.json.gz"
    return f"{_FOLDER}/ConfigHistory/{name}"


def _document(items: list[_Item], **more: str) -> bytes:
    document = {"fileVersion": "1.0", **more, "configurationItems": items}
    return json.dumps(document, separators=(",", ":")).encode()


def _item(rng: random.Random, age: timedelta = timedelta()) -> _Item:
    make = rng.choice((_volume, _instance, _security_group, _bucket, _function, _compliance))
    return make(rng, age)


def _framed(
    rng: random.Random,
    age: timedelta,
    resource_type: str,
    resource: str,
    arn: str,
    configuration: Any,
    supplementary: _Item | None = None,
    relationships: list[_Item] | None = None,
) -> _Item:
    """Put around a configuration what every item has."""
    team = rng.choice(_TEAMS)
    return {
        "relatedEvents": [],
        "relationships": relationships or [],
        "configuration": configuration,
        "supplementaryConfiguration": supplementary or {},
        "tags": {"team": team, "aws:cloudformation:stack-name": f"{team}-stack"},
        "configurationItemVersion": "1.3",
        **_captured(rng, 21_600, age),
        "awsAccountId": ACCOUNT,
        "configurationItemStatus": "ResourceDiscovered" if rng.random() < 0.1 else "OK",
        "resourceType": resource_type,
        "resourceId": resource,
        "resourceName": None if resource.startswith(("vol-", "i-", "sg-")) else resource,
        "ARN": arn,
        "awsRegion": REGION,
        "availabilityZone": f"{REGION}a" if resource.startswith(("vol-", "i-")) else "Regional",
        "configurationStateMd5Hash": "",
        "resourceCreationTime": "2026-03-02T09:41:07.000Z",
    }


def _captured(rng: random.Random, seconds: int, age: timedelta = timedelta()) -> _Item:
    """Say when an item was captured: within so many seconds, so long ago."""
    moment = _START - age + timedelta(milliseconds=rng.randrange(seconds * 1_000))
    return {
        "configurationItemCaptureTime": f"{moment.isoformat(timespec='milliseconds')[:-6]}Z",
        "configurationStateId": round(moment.timestamp() * 1000),
    }


def _related(resource_type: str, resource: str, name: str) -> _Item:
    return {
        "resourceId": resource,
        "resourceName": None,
        "resourceType": resource_type,
        "name": name,
    }


def _volume(rng: random.Random, age: timedelta = timedelta()) -> _Item:
    volume, instance = f"vol-{hexadecimal(rng, 17)}", f"i-{hexadecimal(rng, 17)}"
    attachment = {
        "attachTime": "2026-11-04T23:46:28.000Z",
        "device": "/dev/sdf",
        "instanceId": instance,
        "state": "attached",
        "volumeId": volume,
        "deleteOnTermination": False,
    }
    configuration = {
        "attachments": [attachment],
        "availabilityZone": f"{REGION}a",
        "createTime": "2026-03-02T09:41:07.000Z",
        "encrypted": rng.random() < 0.9,
        "kmsKeyId": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{hexadecimal(rng, 32)}",
        "size": rng.choice((8, 20, 100)),
        "snapshotId": f"snap-{hexadecimal(rng, 17)}",
        "state": "in-use",
        "volumeId": volume,
        "iops": 3000,
        "tags": [{"key": "team", "value": rng.choice(_TEAMS)}],
        "volumeType": "gp3",
        "multiAttachEnabled": False,
        "throughput": 125,
    }
    return _framed(
        rng,
        age,
        "AWS::EC2::Volume",
        volume,
        f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/{volume}",
        configuration,
        relationships=[_related("AWS::EC2::Instance", instance, "Is attached to Instance")],
    )


def _instance(rng: random.Random, age: timedelta = timedelta()) -> _Item:
    instance, group = f"i-{hexadecimal(rng, 17)}", rng.choice(_GROUPS)
    network = {
        "networkInterfaceId": f"eni-{hexadecimal(rng, 17)}",
        "privateIpAddress": f"10.0.0.{rng.randrange(1, 255)}",
        "macAddress": "0a:1b:2c:3d:4e:5f",
        "status": "in-use",
        "groups": [{"groupId": group, "groupName": "web"}],
        "sourceDestCheck": True,
        "association": None,
    }
    configuration = {
        "amiLaunchIndex": 0,
        "imageId": "ami-0123456789abcdef0",
        "instanceId": instance,
        "instanceType": rng.choice(("t4g.small", "m7g.large", "c7g.xlarge")),
        "kernelId": None,
        "keyName": None,
        "launchTime": "2026-11-04T23:41:07.000Z",
        "monitoring": {"state": "disabled"},
        "placement": {"availabilityZone": f"{REGION}a", "groupName": "", "tenancy": "default"},
        "privateDnsName": f"ip-10-0-0-7.{REGION}.compute.internal",
        "state": {"code": 16, "name": "running"},
        "ebsOptimized": True,
        "networkInterfaces": [network],
        "securityGroups": [{"groupId": group, "groupName": "web"}],
        "metadataOptions": {"httpTokens": rng.choice(("required", "optional")), "state": "applied"},
        "tags": [{"key": "team", "value": rng.choice(_TEAMS)}],
    }
    return _framed(
        rng,
        age,
        "AWS::EC2::Instance",
        instance,
        f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{instance}",
        configuration,
        relationships=[_related("AWS::EC2::SecurityGroup", group, "Is associated with")],
    )


def _security_group(rng: random.Random, age: timedelta = timedelta()) -> _Item:
    group, vpc = rng.choice(_GROUPS), f"vpc-{hexadecimal(rng, 17)}"
    network = "0.0.0.0/0" if rng.random() < 0.1 else "10.0.0.0/8"
    permission = {
        "fromPort": rng.choice((22, 443, 3306)),
        "ipProtocol": "tcp",
        "ipv6Ranges": [],
        "prefixListIds": [],
        "toPort": 443,
        "userIdGroupPairs": [],
        "ipv4Ranges": [{"cidrIp": network, "description": "office"}],
        "ipRanges": [network],
    }
    configuration = {
        "description": "web servers",
        "groupName": f"web-{rng.randrange(90)}",
        "ipPermissions": [permission],
        "ownerId": ACCOUNT,
        "groupId": group,
        "ipPermissionsEgress": [permission | {"ipProtocol": "-1"}],
        "tags": [],
        "vpcId": vpc,
    }
    return _framed(
        rng,
        age,
        "AWS::EC2::SecurityGroup",
        group,
        f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/{group}",
        configuration,
        relationships=[_related("AWS::EC2::VPC", vpc, "Is contained in Vpc")],
    )


def _bucket(rng: random.Random, age: timedelta = timedelta()) -> _Item:
    bucket = f"shop-assets-{rng.randrange(500)}"
    # JSON inside strings, as Config has it.
    rule = {"serverSideEncryptionByDefault": {"sseAlgorithm": "AES256"}, "bucketKeyEnabled": False}
    encryption = json.dumps({"serverSideEncryptionConfiguration": {"rules": [rule]}})
    supplementary = {
        "BucketPolicy": {"policyText": None},
        "BucketVersioningConfiguration": {"status": "Enabled", "isMfaDeleteEnabled": None},
        "BucketTaggingConfiguration": {"tagSets": [{"tags": {"team": rng.choice(_TEAMS)}}]},
        "ServerSideEncryptionConfiguration": encryption,
        "PublicAccessBlockConfiguration": {"blockPublicAcls": True, "blockPublicPolicy": True},
    }
    configuration = {
        "name": bucket,
        "owner": {"displayName": None, "id": hexadecimal(rng, 64)},
        "creationDate": "2026-03-02T09:41:07.000Z",
        "region": REGION,
    }
    arn = f"arn:aws:s3:::{bucket}"
    return _framed(rng, age, "AWS::S3::Bucket", bucket, arn, configuration, supplementary)


def _function(rng: random.Random, age: timedelta = timedelta()) -> _Item:
    name = f"orders-{rng.randrange(90)}"
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
    configuration = {
        "functionName": name,
        "functionArn": arn,
        "runtime": rng.choice(("python3.13", "nodejs22.x")),
        "role": f"arn:aws:iam::{ACCOUNT}:role/{name}-role",
        "handler": "app.handler",
        "codeSize": rng.randrange(1_000_000),
        "timeout": 30,
        "memorySize": rng.choice((128, 512, 1024)),
        "lastModified": "2026-11-04T23:41:07.000+0000",
        "codeSha256": hexadecimal(rng, 64),
        "version": "$LATEST",
        "architectures": ["arm64"],
        "tracingConfig": {"mode": "Active"},
        "revisionId": hexadecimal(rng, 32),
        "layers": [],
    }
    return _framed(
        rng, age, "AWS::Lambda::Function", name, arn, configuration, {"Tags": {}, "Policy": None}
    )


def _compliance(rng: random.Random, age: timedelta = timedelta()) -> _Item:
    resource = f"AWS::EC2::Volume/vol-{hexadecimal(rng, 17)}"
    configuration = {
        "targetResourceId": resource.partition("/")[2],
        "targetResourceType": "AWS::EC2::Volume",
        "configRuleList": [
            {
                "configRuleId": f"config-rule-{hexadecimal(rng, 6)}",
                "configRuleArn": f"arn:aws:config:{REGION}:{ACCOUNT}:config-rule/config-rule-1",
                "configRuleName": "encrypted-volumes",
                "complianceType": rng.choice(("COMPLIANT", "NON_COMPLIANT")),
            }
        ],
        "complianceType": rng.choice(("COMPLIANT", "NON_COMPLIANT")),
    }
    return _framed(
        rng,
        age,
        "AWS::Config::ResourceCompliance",
        resource,
        f"arn:aws:config:{REGION}:{ACCOUNT}:resource-compliance/{resource}",
        configuration,
    )


def _odd_items(rng: random.Random) -> Iterator[_Item]:
    """Items that are easy to get wrong."""
    deleted = _volume(rng)
    yield deleted | {
        "configurationItemStatus": "ResourceDeleted",
        "configuration": None,
        "supplementaryConfiguration": None,
        "tags": {},
        "ARN": None,
    }
    statement = {"Effect": "Allow", "Action": ["s3:GetObject"] * 4_000, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    version = {"document": document, "versionId": "v1", "isDefaultVersion": True}
    yield _volume(rng) | {
        "resourceType": "AWS::IAM::Policy",
        "configuration": {"policyName": "long", "policyVersionList": [version]},
    }
    text = json.dumps(_volume(rng)["configuration"])
    yield _volume(rng) | {"configuration": text, "tags": ["a list"], "configurationStateId": None}
    yield _bucket(rng) | {"event": "a name that we add", "aFieldOfNextYear": [{"a": 1}]}
    api = _instance(rng)
    spelled = {"ARN": "arn", "awsAccountId": "accountId", "configurationItemVersion": "version"}
    yield {spelled.get(name, name): value for name, value in api.items()} | {
        "configurationStateID": "3e660fdf-4e34-4f32-afeb-0ace5bf3d63a"
    }


def _notification(rng: random.Random) -> bytes:
    """A change of a role whose item is longer than a message may be."""
    item = _volume(rng) | {"resourceType": "AWS::IAM::Role", "resourceId": "AROAEXAMPLE"}
    policies = [{"policyName": f"p{n}", "policyDocument": "x" * 1_000} for n in range(300)]
    item["configuration"] = {"roleId": "AROAEXAMPLE", "rolePolicyList": policies}
    change = {
        "previousValue": None,
        "updatedValue": {"policyName": "p299"},
        "changeType": "CREATE",
    }
    notification = {
        "configurationItemDiff": {
            "changedProperties": {"Configuration.RolePolicyList.299": change},
            "changeType": "UPDATE",
        },
        "configurationItem": item,
        "notificationCreationTime": "2026-11-05T06:15:00.123Z",
        "messageType": "ConfigurationItemChangeNotification",
        "recordVersion": "1.3",
    }
    return json.dumps(notification, separators=(",", ":")).encode()
