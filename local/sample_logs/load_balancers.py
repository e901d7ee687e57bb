"""Where load balancers put their sample logs: one folder, in which names distinguish the kinds."""

from local.sample_logs import ACCOUNT, REGION

PLACE = f"{ACCOUNT}_elasticloadbalancing_{REGION}"
FOLDER = f"lb/AWSLogs/{ACCOUNT}/elasticloadbalancing/{REGION}/2026/11/20"


def key(balancer: str, minute: str, unique: str, *, kind: str = "") -> str:
    """Name a file that a load balancer's node ends at this minute."""
    return f"{FOLDER}/{kind}{PLACE}_{balancer}_20261120T{minute}Z_{unique}"
