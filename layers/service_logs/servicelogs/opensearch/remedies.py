"""Say what lets a deployment's functions in where the search engine refuses its setup.

With the very calls and statements, because whoever reads it in CloudFormation's events is to paste
them, and a deployment that is rolled back leaves nothing else behind.
"""

import json

from servicelogs.opensearch.access import Access
from servicelogs.opensearch.answers import Guard, NotPermitted

# Of what the engine said: the remedy is longer, and CloudFormation takes little.
_CAUSE = 300


def with_remedy(refusal: NotPermitted, access: Access, engine_arn: str, mapped: bool) -> str:
    """Say why the setup was refused, and what to do; `mapped`: it has mapped its roles itself."""
    match refusal.guard:
        case Guard.SECURITY_PLUGIN if mapped:
            remedy = _add_permission(access)
        case Guard.SECURITY_PLUGIN:
            remedy = _map_roles(access)
        case Guard.DOMAIN_POLICY:
            remedy = _let_domain_accept(access, engine_arn)
        case Guard.COLLECTION_POLICY:
            remedy = _let_collection_accept(access, engine_arn)
    return f"{refusal.cause[:_CAUSE]}. {remedy}"


def _map_roles(access: Access) -> str:
    who = f"the user {access.user!r}" if access.user else "its roles"
    stay = "" if access.user else "deploy with --disable-rollback, since a roll-back deletes them; "
    calls = " ".join(map(str, access.calls()))
    return (
        "Either set OpenSearchMasterSecretArn to the secret of the domain's master user, by whom "
        f"the setup maps {who} itself; or map {who} yourself: {stay}send this as the master user "
        "(Dev Tools of OpenSearch Dashboards, each body on a line of its own), then deploy with "
        "another SetUpAgain: "
        f"{calls}"
    )


def _add_permission(access: Access) -> str:
    return (
        f"The setup has mapped {access.name}-setting-up, which lacks that permission: map "
        f"{_who(access)} to another role that has it, and report this as a fault"
    )


def _let_domain_accept(access: Access, engine_arn: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "*" if access.user else access.roles()},
        "Action": ["es:ESHttpGet", "es:ESHttpPost", "es:ESHttpPut", "es:ESHttpDelete"],
        "Resource": f"{engine_arn or 'ARN_OF_THE_DOMAIN'}/*",
    }
    return (
        f"Check that OpenSearchArn ({engine_arn or 'empty'}) is that of the domain at "
        "OpenSearchEndpoint; then add to the domain's access policy: "
        + json.dumps(statement, separators=(",", ":"))
    )


def _let_collection_accept(access: Access, engine_arn: str) -> str:
    return (
        f"Check that CollectionName and OpenSearchArn ({engine_arn or 'empty'}) are those of the "
        "collection at OpenSearchEndpoint, and that its network policy lets the function in. The "
        f"stack's data access policy {access.name} lets in {_who(access)}, for indexes "
        f"{access.index_prefix}-*"
    )


def _who(access: Access) -> str:
    return access.user or ", ".join(access.set_up_roles)
