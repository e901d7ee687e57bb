"""The samples of an account are as many as anybody's, and name that account alone."""

import gzip
import io

import pyarrow.parquet

from local import sample_logs
from local.sample_logs import ACCOUNT

OTHER = "444455556666"


def text(data: bytes) -> str:
    """Give all that can be read in an object."""
    if data.startswith(b"PAR1"):
        return str(pyarrow.parquet.read_table(io.BytesIO(data)).to_pylist())
    data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    return data.decode(errors="replace")


def test_another_accounts_objects_name_it_and_nobody_else() -> None:
    for one, other in zip(sample_logs.objects(seed=2), sample_logs.objects(2, OTHER), strict=True):
        assert other.key == one.key.replace(ACCOUNT, OTHER)
        assert text(other.data) == text(one.data).replace(ACCOUNT, OTHER)
        assert (other.records, other.rejected) == (one.records, one.rejected)


def test_another_accounts_log_events_name_it_and_nobody_else() -> None:
    for one, other in zip(
        sample_logs.log_events(seed=2), sample_logs.log_events(2, OTHER), strict=True
    ):
        assert ACCOUNT not in str(other.events)
        assert str(other.events) == str(one.events).replace(ACCOUNT, OTHER)
