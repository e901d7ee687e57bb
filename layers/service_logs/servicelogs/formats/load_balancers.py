"""What the logs of load balancers share: how CloudWatch Logs' V2 deliveries write them to S3.

A delivery's prefix takes the place of the first folders, so that its keys tell nothing; and AWS
does not say how its files are named.
"""

DELIVERIES = (
    "AWSLogs/{account}/elasticloadbalancing/{region}/{day}/{delivered}",
    (
        "AWSLogs/aws-account-id={account}/elasticloadbalancing/region={region}/"
        "year={year}/month={month}/day={day_of_month}/{name}"
    ),
    "AWSLogs/aws-account-id={account}/elasticloadbalancing/{path}",
)
"""Keys of any of their types; the first bytes tell which."""

_STRING = r'"(?:[^"\\\n]|\\.)*+"'
_MEMBER = rf"{_STRING}:[ ]?(?:{_STRING}|\[[^]\n]*+\]|[^\",{{}}[\]\n]++)"


def with_member(*names: str) -> str:
    """Match a flat JSON object that has one of these members."""
    return rf'\s*\{{[ ]?(?:{_MEMBER},[ ]?)*?"(?:{"|".join(names)})":'
