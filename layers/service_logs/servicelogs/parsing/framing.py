"""The bounds of records and of what is worked on at a time, for everything that cuts."""

BLOCK_BYTES = 256 * 1024
"""Raw bytes that are worked on at a time: small enough for a processor's cache."""
MAX_RECORD_BYTES = 10 * 1024 * 1024
"""A longer record is rejected: no AWS service writes one, and no bulk request could hold it."""
KEPT_BYTES = 64 * 1024
"""How much of such a record its reject shows."""


def too_long(length: str) -> str:
    """Say why a record of this length is rejected."""
    return (
        f"the record is too long: {length}, at most {MAX_RECORD_BYTES} are read; "
        "only its beginning is kept"
    )
