"""The buckets that the deployment itself writes to: what it made of logs is no log."""

from collections.abc import Collection

from servicelogs.errors import UnreadableMessage
from servicelogs.sources.event_notifications import ObjectToRead


def refuse_own(wanted: ObjectToRead, own_buckets: Collection[str]) -> None:
    """Refuse an object of the deployment's own; reading it would write the next, without end."""
    if wanted.bucket in own_buckets:
        raise UnreadableMessage(
            f"s3://{wanted.bucket}/{wanted.key} is not read: this deployment writes to its bucket "
            "itself. Have that bucket notify nobody; to read one object of it, copy it to the log "
            "bucket"
        )
