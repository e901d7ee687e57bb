"""The frame: what every record has besides its own fields, whatever the log type and the engine.

Documents, mappings, the lake's columns and the reference of log types take it from here.
"""

from servicelogs.parsing.fields import Field

FRAME: tuple[Field, ...] = (
    Field(
        "@timestamp",
        "timestamp_nanos",
        "when it happened, UTC, as exactly as AWS writes it; where AWS writes no time, when the "
        "object was delivered",
    ),
    Field("log.type", "keyword", "the log type"),
    Field(
        "log.source",
        "keyword",
        "where it comes from: the object, as `s3://bucket/key`, or `kinesis://stream/shard`",
    ),
    Field(
        "log.record",
        "long",
        "its number there, from 1: of the line, or of the array's element; "
        "of a stream, in the batch that it came in",
    ),
    Field("log.group", "keyword", "CloudWatch Logs' log group, if it came through one"),
    Field("log.stream", "keyword", "the log stream in that group"),
    Field(
        "log.extracted_fields",
        "flat_object",
        "what the subscription's filter found in the event, if that is kept",
    ),
    Field(
        "log.continuation",
        "boolean",
        "true: it continues a record of which no more is known, because it came apart from it",
    ),
    Field(
        "log.date_adjusted",
        "boolean",
        "true: its own time cannot be (over a day after its delivery, or before 1970), so the "
        "delivery's date counts",
    ),
    Field("log.adjusted[]", "keyword", "fields that had to be changed to be indexed"),
    Field("log.original", "stored", "what those fields were, as delivered; not searchable"),
    Field(
        "cloud.account_id",
        "keyword",
        "account, as the object's key or the log group says, else the record, else its bucket",
    ),
    Field("cloud.region", "keyword", "Region, likewise"),
    Field("event.ingested", "timestamp", "when it was indexed"),
    Field("extra_fields", "flat_object", "what AWS writes and this version does not know yet"),
)

PROMOTED = "request"
"""Under this name lie the fields that a format takes out of its free-form fields."""

RESERVED: tuple[str, ...] = (
    *dict.fromkeys(field.name.partition(".")[0] for field in FRAME),
    PROMOTED,
)
"""The names at the top of a document that are ours: a record's own of that name would meet them."""


def frame_field(name: str) -> Field:
    """Give the field of the frame with this name."""
    return next(field for field in FRAME if field.name == name)
